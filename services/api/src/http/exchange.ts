import type { HttpResponse } from 'uWebSockets.js';
import { statusLine, TEXT, type Answer } from './answer.ts';
import type { InFlight } from './in-flight.ts';

/**
 * One request from the moment its route ran until its answer is written or the client is gone. uWS frees the response at
 * either end, so it is touched nowhere else.
 */
export class Exchange {
  readonly #response: HttpResponse;
  readonly #inFlight: InFlight;
  #isOver = false;
  #onEnd: (() => void) | undefined = undefined;

  constructor(response: HttpResponse, inFlight: InFlight) {
    this.#response = response;
    this.#inFlight = inFlight;
    inFlight.begin();
    response.onAborted(() => this.#end());
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Hands over the chunks of the body, valid during the call only. */
  onData(receive: (chunk: ArrayBuffer, isLast: boolean) => void): void {
    this.#response.onData(receive);
  }

  /** Calls back when the exchange is over, whatever ended it. One listener at a time. */
  onEnd(listener: () => void): void {
    this.#onEnd = listener;
  }

  /** Writes the answer with one system call; nothing if the client is gone. */
  send(answer: Answer, closesConnection = false): void {
    if (this.#isOver) return;
    this.#end();
    this.#response.cork(() => writeAnswer(this.#response, answer, closesConnection || this.#inFlight.isDraining));
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#inFlight.end();
    this.#onEnd?.();
  }
}

/** Writes into a response that is corked, as it is while its route runs. */
export function writeAnswer(response: HttpResponse, answer: Answer, closesConnection = false): void {
  if (answer.status !== 200) response.writeStatus(statusLine(answer.status));
  if (answer.contentType !== undefined) response.writeHeader('Content-Type', answer.contentType);
  // compat: net/http of Go says so in every error that has words.
  if (answer.contentType === TEXT && answer.status >= 400) response.writeHeader('X-Content-Type-Options', 'nosniff');
  response.end(answer.body, closesConnection);
}

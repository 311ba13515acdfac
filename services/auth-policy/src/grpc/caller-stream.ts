import type { DecisionService } from '@carillon/policy';
import type { DecideReply, DecideRequest } from '@carillon/protocol/cluster';
import { Metadata, type ServerDuplexStream } from '@grpc/grpc-js';

import type { PolicyMetrics } from '../metrics.ts';
import { answerQuestion } from './answer-question.ts';

export interface CallerStreamOptions {
  readonly call: ServerDuplexStream<DecideRequest, DecideReply>;
  readonly decisions: DecisionService;
  /** Questions of this caller being answered at a time; those beyond get an empty reply, which means failed. */
  readonly maxInFlight: number;
  readonly metrics: PolicyMetrics;
  readonly onClose: (stream: CallerStream) => void;
}

/** Tells a caller to ask elsewhere: a reply that has no id. */
const DRAIN_NOTICE: DecideReply = Object.freeze({});

/**
 * The stream of one gateway. Replies leave in the order in which decisions come. It ends when the caller has ended its
 * side and all of its questions are answered.
 */
export class CallerStream {
  readonly #options: CallerStreamOptions;
  #inFlight = 0;
  #hasCallerEnded = false;
  #isClosed = false;

  constructor(options: CallerStreamOptions) {
    this.#options = options;
    const { call } = options;
    call.on('data', (request: DecideRequest) => void this.#answer(request));
    call.on('end', () => {
      this.#hasCallerEnded = true;
      this.#endIfDone();
    });
    call.on('cancelled', () => this.#close());
    call.on('error', () => this.#close());
    call.on('finish', () => this.#close());
    // The caller takes headers as the sign that it is connected.
    call.sendMetadata(new Metadata());
  }

  /** The caller asks no more here once it has read this; then it ends the stream. */
  announceDrain(): void {
    if (!this.#isClosed) this.#options.call.write(DRAIN_NOTICE);
  }

  async #answer(request: DecideRequest): Promise<void> {
    const { decisions, maxInFlight, metrics } = this.#options;
    if (this.#inFlight >= maxInFlight) {
      metrics.questionsRefused.inc();
      this.#write({ id: request.id });
      return;
    }
    this.#inFlight += 1;
    metrics.questionsInFlight.inc();
    const reply = await answerQuestion(request, decisions);
    metrics.questionsInFlight.dec();
    this.#inFlight -= 1;
    this.#write(reply);
    this.#endIfDone();
  }

  #write(reply: DecideReply): void {
    // What waits to be written is bounded by what the caller may ask before it has read its replies.
    if (!this.#isClosed) this.#options.call.write(reply);
  }

  #endIfDone(): void {
    if (this.#hasCallerEnded && this.#inFlight === 0 && !this.#isClosed) this.#options.call.end();
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#options.onClose(this);
  }
}

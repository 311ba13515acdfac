import { fromWireQuestion, toWireDecision, type StreamListener } from '@carillon/policy';
import type { DecideReply, StreamPublishRequest, SubscribeStreamRequest } from '@carillon/protocol/cluster';

import type { BackedStream } from '../decision/backed-stream.ts';
import type { BackendDecisions } from '../decision/decision-maker.ts';

export interface SubscribeStreamsOptions {
  readonly decisions: BackendDecisions;
  readonly send: (reply: DecideReply) => void;
}

/** Streams that one gateway may hold: one for each client and channel of it. */
const MAX_STREAMS = 100_000;

/** The subscribe streams of one caller, by the ids of the questions that opened them (proxy.md §6.7). */
export class SubscribeStreams {
  readonly #options: SubscribeStreamsOptions;
  readonly #streams: Map<number, BackedStream> = new Map();
  #isPaused = false;

  constructor(options: SubscribeStreamsOptions) {
    this.#options = options;
  }

  /** Opens a stream and sends its decision. Never rejects. */
  async open(id: number, question: SubscribeStreamRequest): Promise<void> {
    const { decisions, send } = this.#options;
    const ask = fromWireQuestion(question);
    if (ask === undefined || this.#streams.has(id) || this.#streams.size >= MAX_STREAMS) {
      const reason = ask === undefined ? 'an empty question' : 'too many streams';
      send({ id, subscribe: toWireDecision({ kind: 'failed', reason }) });
      return;
    }
    const held = new HeldBack(this.#listener(id));
    const stream = decisions.subscribeStream({ ...ask, isBidirectional: question.bidirectional ?? false }, held);
    this.#streams.set(id, stream);
    if (this.#isPaused) stream.pause();
    const decision = await stream.decision;
    if (decision.kind !== 'result') this.#forget(id, stream);
    send({ id, subscribe: toWireDecision(decision) });
    held.release();
  }

  /** The reply to a client's publication: `none` where the backend got it. */
  async publish(id: number, { stream = 0, data = NO_DATA }: StreamPublishRequest): Promise<DecideReply> {
    const isSent = (await this.#streams.get(stream)?.publish(data)) ?? false;
    return {
      id,
      publish: isSent ? { none: {} } : toWireDecision({ kind: 'failed', reason: 'the stream took no more' }),
    };
  }

  cancel(id: number): void {
    const stream = this.#streams.get(id);
    this.#streams.delete(id);
    stream?.close();
  }

  /** Reads nothing from backends until `resume`. */
  pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    for (const stream of this.#streams.values()) stream.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    for (const stream of this.#streams.values()) stream.resume();
  }

  closeAll(): void {
    for (const id of this.#streams.keys()) this.cancel(id);
  }

  #listener(id: number): StreamListener {
    const { send } = this.#options;
    return {
      onPublication: (streamPublication) => send({ id, streamPublication }),
      onEnd: (end) => {
        this.#streams.delete(id);
        send({ id, streamEnd: end === 'failed' ? { failed: true } : {} });
      },
    };
  }

  /** Unless the id has been given to another stream since. */
  #forget(id: number, stream: BackedStream): void {
    if (this.#streams.get(id) === stream) this.#streams.delete(id);
  }
}

const NO_DATA = new Uint8Array(0);

type Held = (listener: StreamListener) => void;

/** Keeps what comes in the turn of the decision behind it. */
class HeldBack implements StreamListener {
  readonly #listener: StreamListener;
  #held: Held[] | undefined = [];

  constructor(listener: StreamListener) {
    this.#listener = listener;
  }

  onPublication: StreamListener['onPublication'] = (publication) => {
    this.#pass((listener) => listener.onPublication(publication));
  };

  onEnd: StreamListener['onEnd'] = (end) => {
    this.#pass((listener) => listener.onEnd(end));
  };

  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const pass of held) pass(this.#listener);
  }

  #pass(what: Held): void {
    // Bounded: the decision is known, only the promise of it has not been seen yet.
    if (this.#held === undefined) what(this.#listener);
    else this.#held.push(what);
  }
}

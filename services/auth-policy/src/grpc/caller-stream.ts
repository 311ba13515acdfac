import { MessageBatch } from '@carillon/policy';
import { DECIDE_BATCH_FIELD, policyMethods, type DecideReply, type DecideRequest } from '@carillon/protocol/cluster';
import { Metadata, type ServerDuplexStream } from '@grpc/grpc-js';

import type { BackendDecisions } from '../decision/decision-maker.ts';
import type { PolicyMetrics } from '../metrics.ts';
import { answerQuestion } from './answer-question.ts';
import { SubscribeStreams } from './subscribe-streams.ts';

export interface CallerStreamOptions {
  readonly call: ServerDuplexStream<DecideRequest, Buffer>;
  readonly decisions: BackendDecisions;
  /** Questions of this caller being answered at a time; those beyond get an empty reply, which means failed. */
  readonly maxInFlight: number;
  readonly metrics: PolicyMetrics;
  readonly onClose: (stream: CallerStream) => void;
}

/** Tells a caller to ask elsewhere: a reply that has no id. */
const DRAIN_NOTICE: DecideReply = Object.freeze({});

/**
 * The stream of one gateway. Replies leave in the order in which decisions come, those of one turn together. It ends when the
 * caller has ended its side and all of its questions are answered; with it end the caller's subscribe streams.
 */
export class CallerStream {
  readonly #options: CallerStreamOptions;
  readonly #batch: MessageBatch;
  readonly #streams: SubscribeStreams;
  #inFlight = 0;
  #hasCallerEnded = false;
  #isClosed = false;

  constructor(options: CallerStreamOptions) {
    this.#options = options;
    const { call, decisions } = options;
    this.#batch = new MessageBatch({
      field: DECIDE_BATCH_FIELD.reply,
      schedule: setImmediate,
      write: (message) => this.#writeNow(message),
    });
    this.#streams = new SubscribeStreams({ decisions, send: (reply) => this.#write(reply) });
    call.on('data', (request: DecideRequest) => this.#receive(request));
    call.on('drain', () => this.#streams.resume());
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
    this.#write(DRAIN_NOTICE);
  }

  #receive(request: DecideRequest): void {
    if (request.batch === undefined) this.#take(request);
    else for (const each of request.batch) this.#take(each);
  }

  #take(request: DecideRequest): void {
    const { id = 0, streamCancel } = request;
    if (streamCancel === undefined) void this.#answer(request);
    else this.#streams.cancel(id);
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
    const { id = 0, subscribeStream, streamPublish } = request;
    if (subscribeStream !== undefined) await this.#streams.open(id, subscribeStream);
    else if (streamPublish !== undefined) this.#write(await this.#streams.publish(id, streamPublish));
    else this.#write(await answerQuestion(request, decisions));
    metrics.questionsInFlight.dec();
    this.#inFlight -= 1;
    this.#endIfDone();
  }

  #write(reply: DecideReply): void {
    // What waits to be written is bounded by what the caller may ask before it has read its replies.
    if (!this.#isClosed) this.#batch.add(encodeReply(reply));
  }

  #writeNow(message: Buffer): void {
    if (this.#isClosed || this.#options.call.writableEnded) return;
    // Publications of subscribe streams have no such bound: their backends wait until the caller has read.
    if (!this.#options.call.write(message)) this.#streams.pause();
  }

  #endIfDone(): void {
    if (!this.#hasCallerEnded || this.#inFlight > 0 || this.#isClosed) return;
    this.#streams.closeAll();
    this.#batch.flush();
    this.#options.call.end();
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#batch.clear();
    this.#streams.closeAll();
    this.#options.onClose(this);
  }
}

/** A reply that cannot be encoded (a number of the backend's that the wire cannot hold) is a failure, not a broken stream. */
function encodeReply(reply: DecideReply): Buffer {
  const { responseSerialize } = policyMethods.decide;
  try {
    return responseSerialize(reply);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return responseSerialize({ id: reply.id });
  }
}

import { MessageBatch } from '@carillon/policy';
import { DECIDE_BATCH_FIELD, policyMethods, type DecideReply, type DecideRequest } from '@carillon/protocol/cluster';
import type { Clock, Log, TimerHandle } from '@carillon/service-kit';
import { Client, credentials, type ClientDuplexStream } from '@grpc/grpc-js';

import { InstanceStreams, type StreamReceiver } from './instance-streams.ts';

export interface PolicyInstanceOptions {
  /** `host:port`. */
  readonly address: string;
  readonly clock: Clock;
  readonly log: Log;
  /** 0 to below 1; spreads reconnects. */
  readonly random: () => number;
  /** Called when the instance begins or ceases to take questions. */
  readonly onChange: () => void;
  /** Called when the connection broke or could not be made. */
  readonly onLost: () => void;
}

/** A question without its id. */
export type PolicyQuestion = Omit<DecideRequest, 'id' | 'batch'>;

/** What becomes of a question; called exactly once. */
export type OnOutcome = (outcome: DecideReply | 'timeout' | 'lost') => void;

/** `retiring`: the address is not one of auth-policy's any more; closed as soon as nothing waits for it. */
type InstanceState = 'connecting' | 'ready' | 'draining' | 'waiting' | 'retiring' | 'closed';

interface Pending {
  readonly onOutcome: OnOutcome;
  readonly timer: TimerHandle;
}

const CONNECT_TIMEOUT_MS = 5_000;
const MIN_RECONNECT_DELAY_MS = 100;
const MAX_RECONNECT_DELAY_MS = 5_000;
/** So many time-outs without an answer in between mean that the stream is dead, whatever TCP says. */
const MAX_TIMEOUTS_IN_A_ROW = 20;
const MAX_UINT32 = 0xffff_ffff;
/** A batch of replies, or the largest reply of a backend with what is around it. */
const MAX_REPLY_BYTES = 4 * 1024 * 1024;

/**
 * One instance of auth-policy and the one stream to it. connecting → ready → (draining →) waiting → connecting, until
 * retired or closed. draining: the instance is about to stop; what it was asked is still answered, nothing new is asked.
 */
export class PolicyInstance {
  /** Grows with each time that its pool chose it; for the pool alone. */
  turn = 0;
  readonly #options: PolicyInstanceOptions;
  readonly #client: Client;
  readonly #pending: Map<number, Pending> = new Map();
  readonly #streams: InstanceStreams = new InstanceStreams();
  readonly #batch: MessageBatch;
  #stream: ClientDuplexStream<Buffer, DecideReply> | undefined = undefined;
  #state: InstanceState = 'waiting';
  #timer: TimerHandle | undefined = undefined;
  #failedAttempts = 0;
  #timeoutsInARow = 0;
  #lastId = 0;
  #onClosed: (() => void) | undefined = undefined;

  constructor(options: PolicyInstanceOptions) {
    this.#options = options;
    this.#batch = new MessageBatch({
      field: DECIDE_BATCH_FIELD.request,
      schedule: setImmediate,
      write: (message) => this.#stream?.write(message),
    });
    this.#client = new Client(options.address, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.max_receive_message_length': MAX_REPLY_BYTES,
      'grpc.initial_reconnect_backoff_ms': MIN_RECONNECT_DELAY_MS,
      'grpc.min_reconnect_backoff_ms': MIN_RECONNECT_DELAY_MS,
      'grpc.max_reconnect_backoff_ms': MAX_RECONNECT_DELAY_MS,
      'grpc.keepalive_time_ms': 10_000,
      'grpc.keepalive_timeout_ms': 5_000,
    });
    this.#connect();
  }

  get address(): string {
    return this.#options.address;
  }

  get isReady(): boolean {
    return this.#state === 'ready';
  }

  get inFlight(): number {
    return this.#pending.size;
  }

  /** Subscribe streams that it holds for this gateway. */
  get numStreams(): number {
    return this.#streams.size;
  }

  /**
   * Only while ready, or into a stream that it has. The outcome is `timeout` after `deadlineMs`, `lost` if the stream breaks
   * before. Gives the id of the question. Throws RangeError for a question that cannot be encoded.
   */
  ask(question: PolicyQuestion, deadlineMs: number, onOutcome: OnOutcome): number {
    const id = this.#nextId();
    const message = policyMethods.decide.requestSerialize({ ...question, id });
    const timer = this.#options.clock.setTimer(deadlineMs, () => this.#onTimeout(id));
    this.#pending.set(id, { onOutcome, timer });
    this.#batch.add(message);
    return id;
  }

  /** As `ask`, for a question that opens a stream: what follows its decision goes to the receiver. Gives the stream's id. */
  openStream(
    question: PolicyQuestion,
    { deadlineMs, onOutcome, receiver }: { deadlineMs: number; onOutcome: OnOutcome; receiver: StreamReceiver },
  ): number {
    const id = this.ask(question, deadlineMs, (outcome) => {
      // Without an answer nobody knows whether it is open over there.
      if (outcome === 'timeout') this.closeStream(id);
      else if (outcome === 'lost') this.#streams.remove(id);
      onOutcome(outcome);
    });
    this.#streams.add(id, receiver);
    return id;
  }

  /** Gives a stream up: its receiver is called no more. Harmless for one that has ended. */
  closeStream(id: number): void {
    if (!this.#streams.remove(id)) return;
    this.#batch.add(policyMethods.decide.requestSerialize({ id, streamCancel: {} }));
  }

  /** Asks nothing new here, ends its streams, and closes when all is answered. */
  retire(onClosed: () => void): void {
    if (this.#state === 'closed' || this.#state === 'retiring') return;
    this.#onClosed = onClosed;
    this.#timer?.cancel();
    this.#change('retiring');
    this.#leaveSubscribeStreams();
    this.#endIfDrained();
  }

  close(): void {
    if (this.#state === 'closed') return;
    this.#leaveStream('closed');
    this.#client.close();
    this.#onClosed?.();
  }

  #connect(): void {
    const { path, responseDeserialize } = policyMethods.decide;
    const stream = this.#client.makeBidiStreamRequest(path, asItIs, responseDeserialize);
    this.#stream = stream;
    this.#change('connecting');
    this.#timer = this.#options.clock.setTimer(CONNECT_TIMEOUT_MS, () => this.#onLost(stream, 'not connected in time'));
    // Headers come when the instance has taken the stream. Errors come with a status; an end without one does too.
    stream.on('metadata', () => this.#onReady(stream));
    stream.on('data', (reply: DecideReply) => this.#onReplies(stream, reply));
    stream.on('error', (error: Error) => this.#onLost(stream, error.message));
    stream.on('end', () => this.#onLost(stream, 'ended'));
  }

  #onReady(stream: object): void {
    if (stream !== this.#stream || this.#state !== 'connecting') return;
    this.#timer?.cancel();
    this.#failedAttempts = 0;
    this.#timeoutsInARow = 0;
    this.#options.log.info('connected to auth-policy', { address: this.#options.address });
    this.#change('ready');
  }

  #onReplies(stream: object, reply: DecideReply): void {
    this.#timeoutsInARow = 0;
    if (reply.batch === undefined) this.#onReply(stream, reply);
    else for (const each of reply.batch) this.#onReply(stream, each);
  }

  #onReply(stream: object, reply: DecideReply): void {
    if (stream !== this.#stream) return;
    const { id, streamPublication, streamEnd } = reply;
    // A reply without an id is the notice that the instance is about to stop.
    if (id === undefined) this.#drain();
    else if (streamPublication !== undefined) this.#streams.deliver(id, streamPublication);
    else if (streamEnd !== undefined) this.#streams.end(id, streamEnd.failed === true ? 'failed' : 'completed');
    else this.#settle(id, reply);
  }

  #drain(): void {
    if (this.#state !== 'ready') return;
    this.#change('draining');
    this.#leaveSubscribeStreams();
    this.#endIfDrained();
  }

  /** Their clients subscribe again and get streams of another instance. Those still opening have their answers to come. */
  #leaveSubscribeStreams(): void {
    for (const id of this.#streams.ids()) {
      if (this.#pending.has(id)) continue;
      this.#batch.add(policyMethods.decide.requestSerialize({ id, streamCancel: {} }));
      this.#streams.end(id, 'failed');
    }
  }

  #endIfDrained(): void {
    if (this.#pending.size > 0) return;
    // A stream that opened after the rest was left.
    if (this.#state === 'draining' || this.#state === 'retiring') this.#leaveSubscribeStreams();
    if (this.#state === 'retiring') this.close();
    else if (this.#state === 'draining') {
      this.#batch.flush();
      this.#stream?.end();
    }
  }

  #onTimeout(id: number): void {
    this.#settle(id, 'timeout');
    this.#timeoutsInARow += 1;
    const stream = this.#stream;
    if (this.#timeoutsInARow >= MAX_TIMEOUTS_IN_A_ROW && stream !== undefined) this.#onLost(stream, 'no answers');
  }

  #settle(id: number, outcome: DecideReply | 'timeout' | 'lost'): void {
    const pending = this.#pending.get(id);
    // A reply after its time-out.
    if (pending === undefined) return;
    this.#pending.delete(id);
    pending.timer.cancel();
    pending.onOutcome(outcome);
    this.#endIfDrained();
  }

  #onLost(stream: object, reason: string): void {
    if (stream !== this.#stream || this.#state === 'closed') return;
    if (this.#state === 'retiring') {
      this.close();
      return;
    }
    const delayMs = this.#nextDelayMs();
    this.#options.log.warn('lost auth-policy', { address: this.#options.address, reason, delayMs });
    this.#leaveStream('waiting');
    this.#timer = this.#options.clock.setTimer(delayMs, () => this.#connect());
    this.#options.onLost();
  }

  #leaveStream(state: 'waiting' | 'closed'): void {
    this.#timer?.cancel();
    const stream = this.#stream;
    this.#stream = undefined;
    this.#batch.clear();
    // A cancelled stream reports an error, which nobody waits for any more.
    stream?.cancel();
    this.#change(state);
    for (const id of this.#pending.keys()) this.#settle(id, 'lost');
    for (const id of this.#streams.ids()) this.#streams.end(id, 'failed');
  }

  /** Doubles with each attempt that failed; between half of it and all of it. */
  #nextDelayMs(): number {
    const ceilingMs = Math.min(
      MAX_RECONNECT_DELAY_MS,
      MIN_RECONNECT_DELAY_MS * 2 ** Math.min(this.#failedAttempts, 16),
    );
    this.#failedAttempts += 1;
    return ceilingMs * (0.5 + this.#options.random() / 2);
  }

  #nextId(): number {
    do {
      this.#lastId = this.#lastId === MAX_UINT32 ? 1 : this.#lastId + 1;
    } while (this.#pending.has(this.#lastId) || this.#streams.has(this.#lastId));
    return this.#lastId;
  }

  #change(state: InstanceState): void {
    const wasReady = this.isReady;
    this.#state = state;
    if (wasReady !== this.isReady) this.#options.onChange();
  }
}

/** Messages are encoded before they are gathered. */
function asItIs(message: Buffer): Buffer {
  return message;
}

import { policyMethods, type DecideReply, type DecideRequest } from '@carillon/protocol/cluster';
import type { Clock, Log, TimerHandle } from '@carillon/service-kit';
import { Client, credentials, type ClientDuplexStream } from '@grpc/grpc-js';

export interface PolicyInstanceOptions {
  /** `host:port`. */
  readonly address: string;
  readonly clock: Clock;
  readonly log: Log;
  /** 0 to below 1; spreads reconnects. */
  readonly random: () => number;
  /** Called when the instance begins or ceases to take questions. */
  readonly onChange: () => void;
}

/** A question without its id. */
export type PolicyQuestion = Omit<DecideRequest, 'id'>;

/** What becomes of a question; called exactly once. */
export type OnOutcome = (outcome: DecideReply | 'timeout' | 'lost') => void;

type InstanceState = 'connecting' | 'ready' | 'draining' | 'waiting' | 'closed';

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

/**
 * One instance of auth-policy and the one stream to it. connecting → ready → (draining →) waiting → connecting, until
 * closed. draining: the instance is about to stop; what it was asked is still answered, nothing new is asked.
 */
export class PolicyInstance {
  readonly #options: PolicyInstanceOptions;
  readonly #client: Client;
  readonly #pending: Map<number, Pending> = new Map();
  #stream: ClientDuplexStream<DecideRequest, DecideReply> | undefined = undefined;
  #state: InstanceState = 'waiting';
  #timer: TimerHandle | undefined = undefined;
  #failedAttempts = 0;
  #timeoutsInARow = 0;
  #lastId = 0;

  constructor(options: PolicyInstanceOptions) {
    this.#options = options;
    this.#client = new Client(options.address, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.initial_reconnect_backoff_ms': MIN_RECONNECT_DELAY_MS,
      'grpc.min_reconnect_backoff_ms': MIN_RECONNECT_DELAY_MS,
      'grpc.max_reconnect_backoff_ms': MAX_RECONNECT_DELAY_MS,
      'grpc.keepalive_time_ms': 10_000,
      'grpc.keepalive_timeout_ms': 5_000,
    });
    this.#connect();
  }

  get isReady(): boolean {
    return this.#state === 'ready';
  }

  get inFlight(): number {
    return this.#pending.size;
  }

  /** Only while ready. The outcome is `timeout` after `deadlineMs`, `lost` if the stream breaks before. */
  ask(question: PolicyQuestion, deadlineMs: number, onOutcome: OnOutcome): void {
    const id = this.#nextId();
    const timer = this.#options.clock.setTimer(deadlineMs, () => this.#onTimeout(id));
    this.#pending.set(id, { onOutcome, timer });
    this.#stream?.write({ ...question, id });
  }

  close(): void {
    if (this.#state === 'closed') return;
    this.#leaveStream('closed');
    this.#client.close();
  }

  #connect(): void {
    const { path, requestSerialize, responseDeserialize } = policyMethods.decide;
    const stream = this.#client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
    this.#stream = stream;
    this.#change('connecting');
    this.#timer = this.#options.clock.setTimer(CONNECT_TIMEOUT_MS, () => this.#onLost(stream, 'not connected in time'));
    // Headers come when the instance has taken the stream. Errors come with a status; an end without one does too.
    stream.on('metadata', () => this.#onReady(stream));
    stream.on('data', (reply: DecideReply) => this.#onReply(stream, reply));
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

  #onReply(stream: object, reply: DecideReply): void {
    if (stream !== this.#stream) return;
    // A reply without an id is the notice that the instance is about to stop.
    if (reply.id === undefined) this.#drain();
    else this.#settle(reply.id, reply);
    this.#timeoutsInARow = 0;
  }

  #drain(): void {
    if (this.#state !== 'ready') return;
    this.#change('draining');
    this.#endIfDrained();
  }

  #endIfDrained(): void {
    if (this.#state === 'draining' && this.#pending.size === 0) this.#stream?.end();
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
    const delayMs = this.#nextDelayMs();
    this.#options.log.warn('lost auth-policy', { address: this.#options.address, reason, delayMs });
    this.#leaveStream('waiting');
    this.#timer = this.#options.clock.setTimer(delayMs, () => this.#connect());
  }

  #leaveStream(state: 'waiting' | 'closed'): void {
    this.#timer?.cancel();
    const stream = this.#stream;
    this.#stream = undefined;
    // A cancelled stream reports an error, which nobody waits for any more.
    stream?.cancel();
    this.#change(state);
    for (const id of this.#pending.keys()) this.#settle(id, 'lost');
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
    } while (this.#pending.has(this.#lastId));
    return this.#lastId;
  }

  #change(state: InstanceState): void {
    const wasReady = this.isReady;
    this.#state = state;
    if (wasReady !== this.isReady) this.#options.onChange();
  }
}

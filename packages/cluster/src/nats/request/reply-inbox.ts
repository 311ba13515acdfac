import { createInbox, type Msg, type MsgHdrs, type NatsConnection, type Subscription } from '@nats-io/nats-core';
import { NOT_SCHEDULED, OperationalError, TimerWheel, type Clock, type WheelEntry } from '@carillon/service-kit';

const DEADLINE_TICK_MS = 25;
const DEADLINE_SLOTS = 1_024;
/** Requests in flight; beyond it callers are refused at once. */
const MAX_PENDING = 65_536;

export interface ReplyInboxDeps {
  readonly connection: NatsConnection;
  /** Sends one message, or throws when it can't now. */
  readonly publish: (subject: string, payload: Uint8Array, options: { reply: string; headers?: MsgHdrs }) => void;
  readonly clock: Clock;
  readonly maxPending?: number | undefined;
}

export interface InboxRequest {
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly deadlineMs: number;
  readonly headers?: MsgHdrs | undefined;
}

/** Says whether a reply was the last one. Called synchronously; what it throws ends the request with that error. */
export type ReplyHandler = (reply: Msg) => 'more' | 'last';

/**
 * Requests over one subscription and one timer: a third of the client CPU of the library's own requests, and any number
 * of replies to each. Every request has a deadline, and there is a bound to those in flight.
 */
export class ReplyInbox {
  readonly #publish: ReplyInboxDeps['publish'];
  readonly #maxPending: number;
  readonly #prefix: string;
  readonly #pending: Map<string, PendingRequest> = new Map();
  readonly #wheel: TimerWheel<PendingRequest>;
  readonly #subscription: Subscription;
  #lastId = 0;
  #isClosed = false;

  constructor({ connection, publish, clock, maxPending }: ReplyInboxDeps) {
    this.#publish = publish;
    this.#maxPending = maxPending ?? MAX_PENDING;
    this.#prefix = `${createInbox()}.`;
    this.#wheel = new TimerWheel({
      clock,
      tickMs: DEADLINE_TICK_MS,
      slots: DEADLINE_SLOTS,
      onDue: (request) => this.#fail(request, new OperationalError('nats_timeout', `no reply from ${request.subject}`)),
    });
    this.#subscription = connection.subscribe(`${this.#prefix}*`, {
      // Permission errors end the subscription; requests then run into their deadlines.
      callback: (error, message) => {
        if (error === null) this.#onReply(message);
      },
    });
  }

  get pending(): number {
    return this.#pending.size;
  }

  /** The first reply; an OperationalError without one in time. "No responders" is a reply: see {@link isNoResponders}. */
  async request(request: InboxRequest): Promise<Msg> {
    let first: Msg | undefined;
    await this.collect(request, (reply) => {
      first = reply;
      return 'last';
    });
    if (first === undefined) throw new OperationalError('nats_timeout', `no reply from ${request.subject}`);
    return first;
  }

  /** Hands each reply to `onReply` until it says that one was the last. */
  collect({ subject, payload, deadlineMs, headers }: InboxRequest, onReply: ReplyHandler): Promise<void> {
    if (this.#isClosed) return Promise.reject(closedError());
    if (this.#pending.size >= this.#maxPending) {
      return Promise.reject(new OperationalError('nats_busy', `${this.#maxPending} requests are in flight already`));
    }
    this.#lastId += 1;
    const id = this.#lastId.toString(36);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const request = new PendingRequest({ id, subject, onReply, resolve, reject });
    const reply = this.#prefix + id;
    try {
      this.#publish(subject, payload, headers === undefined ? { reply } : { reply, headers });
    } catch (cause) {
      return Promise.reject(
        cause instanceof OperationalError ? cause : new OperationalError('nats_publish', String(cause), { cause }),
      );
    }
    this.#pending.set(id, request);
    this.#wheel.schedule(request, deadlineMs);
    return promise;
  }

  /** Fails what is in flight. Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const request of this.#pending.values()) this.#fail(request, closedError());
    this.#wheel.stop();
    this.#subscription.unsubscribe();
  }

  #onReply(reply: Msg): void {
    const request = this.#pending.get(reply.subject.slice(this.#prefix.length));
    if (request === undefined) return;
    try {
      if (request.onReply(reply) === 'more') return;
    } catch (error) {
      this.#fail(request, error);
      return;
    }
    this.#forget(request);
    request.resolve();
  }

  #fail(request: PendingRequest, error: unknown): void {
    this.#forget(request);
    request.reject(error);
  }

  #forget(request: PendingRequest): void {
    this.#pending.delete(request.id);
    this.#wheel.cancel(request);
  }
}

/** Whether the server said that nobody listens on the subject of the request. */
export function isNoResponders(reply: Msg): boolean {
  return reply.data.length === 0 && reply.headers?.code === 503;
}

function closedError(): OperationalError {
  return new OperationalError('nats_closed', 'the connection is closed', { retriable: false });
}

interface PendingRequestFields {
  readonly id: string;
  readonly subject: string;
  readonly onReply: ReplyHandler;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

class PendingRequest implements WheelEntry<PendingRequest> {
  readonly id: string;
  readonly subject: string;
  readonly onReply: ReplyHandler;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  wheelNext: PendingRequest | undefined = undefined;
  wheelPrevious: PendingRequest | undefined = undefined;
  wheelSlot: number = NOT_SCHEDULED;
  wheelDueTick = 0;

  constructor({ id, subject, onReply, resolve, reject }: PendingRequestFields) {
    this.id = id;
    this.subject = subject;
    this.onReply = onReply;
    this.resolve = resolve;
    this.reject = reject;
  }
}

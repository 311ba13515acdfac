// One subscription for the replies to all requests on a connection, and one timer for their deadlines.
import { createInbox, type Msg, type NatsConnection, type Subscription } from '@nats-io/nats-core';
import { NOT_SCHEDULED, OperationalError, TimerWheel, type Clock, type WheelEntry } from '@carillon/service-kit';

const DEADLINE_TICK_MS = 25;
const DEADLINE_SLOTS = 1_024;
/** Requests in flight; beyond it callers are refused at once. */
const MAX_PENDING = 65_536;

/** Called synchronously; must not throw. */
export interface ReplyHandler {
  /** Whether more replies are to come. */
  onReply(message: Msg): boolean;
  /** No (further) reply in time, or the inbox was closed. Called at most once, and nothing after it. */
  onFailure(error: OperationalError): void;
}

export interface ReplyInboxDependencies {
  readonly connection: NatsConnection;
  readonly clock: Clock;
  readonly maxPending?: number | undefined;
}

/**
 * A third of the client CPU of the library's own requests, and any number of replies to each. Every request has a
 * deadline, and there is a bound to those in flight.
 */
export class ReplyInbox {
  readonly #maxPending: number;
  readonly #prefix: string;
  readonly #pending: Map<number, PendingReply> = new Map();
  readonly #wheel: TimerWheel<PendingReply>;
  readonly #subscription: Subscription;
  #lastId = 0;
  #isClosed = false;

  constructor({ connection, clock, maxPending }: ReplyInboxDependencies) {
    this.#maxPending = maxPending ?? MAX_PENDING;
    this.#prefix = `${createInbox()}.`;
    this.#wheel = new TimerWheel({
      clock,
      tickMs: DEADLINE_TICK_MS,
      slots: DEADLINE_SLOTS,
      onDue: (pending) => this.#fail(pending, new OperationalError('nats_timeout', 'no reply in time')),
    });
    this.#subscription = connection.subscribe(`${this.#prefix}*`, {
      // Errors end the subscription; requests then run into their deadlines.
      callback: (error, message) => {
        if (error === null) this.#onReply(message);
      },
    });
  }

  get pending(): number {
    return this.#pending.size;
  }

  /** The subject for replies to a request that the caller is about to send; an OperationalError when there are too many. */
  open(handler: ReplyHandler, timeoutMs: number): string {
    if (this.#isClosed) throw closedError();
    if (this.#pending.size >= this.#maxPending) {
      throw new OperationalError('nats_busy', `${this.#maxPending} requests are in flight already`);
    }
    this.#lastId += 1;
    const id = this.#lastId;
    const pending = new PendingReply(id, handler);
    this.#pending.set(id, pending);
    this.#wheel.schedule(pending, timeoutMs);
    return this.#prefix + String(id);
  }

  /** Takes back what `open` gave: the handler is not called any more. */
  forget(reply: string): void {
    const pending = this.#pending.get(Number(reply.slice(this.#prefix.length)));
    if (pending !== undefined) this.#end(pending);
  }

  /** Fails what is in flight. Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const pending of this.#pending.values()) this.#fail(pending, closedError());
    this.#wheel.stop();
    this.#subscription.unsubscribe();
  }

  #onReply(message: Msg): void {
    const pending = this.#pending.get(idOf(message, this.#prefix.length));
    if (pending === undefined) return;
    if (!pending.handler.onReply(message)) this.#end(pending);
  }

  #fail(pending: PendingReply, error: OperationalError): void {
    this.#end(pending);
    pending.handler.onFailure(error);
  }

  #end(pending: PendingReply): void {
    this.#pending.delete(pending.id);
    this.#wheel.cancel(pending);
  }
}

/** Whether the server said that nobody listens on the subject of the request. */
export function isNoResponders(message: Msg): boolean {
  return message.data.length === 0 && message.headers?.code === 503;
}

const DIGIT_0 = 0x30;

/** The number at the end of a reply's subject. Where the library shows its bytes they need not become text. */
function idOf(message: Msg, prefixLength: number): number {
  const bytes = (message as { _msg?: { subject?: Uint8Array } })._msg?.subject;
  if (!(bytes instanceof Uint8Array)) return Number(message.subject.slice(prefixLength));
  let id = 0;
  for (let index = prefixLength; index < bytes.length; index++) id = id * 10 + (bytes[index] ?? DIGIT_0) - DIGIT_0;
  return id;
}

function closedError(): OperationalError {
  return new OperationalError('nats_closed', 'the connection is closed', { retriable: false });
}

class PendingReply implements WheelEntry<PendingReply> {
  readonly id: number;
  readonly handler: ReplyHandler;
  wheelNext: PendingReply | undefined = undefined;
  wheelPrevious: PendingReply | undefined = undefined;
  wheelSlot: number = NOT_SCHEDULED;
  wheelDueTick = 0;

  constructor(id: number, handler: ReplyHandler) {
    this.id = id;
    this.handler = handler;
  }
}

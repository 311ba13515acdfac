import { WebSocket } from 'ws';

import type { SubscriptionCheck } from './subscription-check.ts';
import type { Position, Push, Reply, Wire } from './wire.ts';
import type { Random } from '../random.ts';
import type { Verdict } from '../model/verdict.ts';

export interface RecoveringClientOptions {
  readonly name: string;
  readonly wire: Wire;
  readonly token: string;
  readonly subscriptions: readonly SubscriptionCheck[];
  /** The address to try next. */
  readonly nextUrl: () => string;
  readonly random: Random;
  readonly verdict: Verdict;
}

const COMMAND_TIMEOUT_MS = 5_000;
const MIN_RETRY_MS = 20;
const MAX_RETRY_MS = 400;
// compat: codes that tell a client to stay away (client-protocol §3.7, §3.8).
const FIRST_TERMINAL_CODE = 3500;
const LAST_TERMINAL_CODE = 3999;
const FIRST_RESUBSCRIBE_CODE = 2500;
const INSUFFICIENT_STATE_CODE = 2500;
const SLOW_CODE = 3008;
/** Counts of those that were told that they are too slow (queue limit, write time-out), and of those that were not slow. */
export const SLOW_ENDED = 'slow clients ended with 3008';
export const READER_ENDED = 'readers ended with 3008';

/** A client that does what the SDKs do: reconnects, resubscribes where it was, takes 2500 and 3010 as they are meant. */
export class RecoveringClient {
  readonly name: string;
  readonly #options: RecoveringClientOptions;
  readonly #byChannel: Map<string, SubscriptionCheck>;
  readonly #waiting: Map<number, { take: (reply: Reply) => void; timer: NodeJS.Timeout }> = new Map();
  readonly #timers: Set<NodeJS.Timeout> = new Set();
  #socket: WebSocket | undefined = undefined;
  #lastId = 0;
  /** Has stopped to read on this connection. */
  #wasPaused = false;
  #isClosed = false;

  constructor(options: RecoveringClientOptions) {
    this.name = options.name;
    this.#options = options;
    this.#byChannel = new Map(options.subscriptions.map((each) => [each.channel, each]));
  }

  get subscriptions(): readonly SubscriptionCheck[] {
    return this.#options.subscriptions;
  }

  get isReady(): boolean {
    return this.subscriptions.every(({ isSubscribed }) => isSubscribed);
  }

  open(): void {
    if (this.#isClosed) return;
    const { wire, nextUrl, verdict } = this.#options;
    const socket = new WebSocket(nextUrl(), [...wire.subprotocols], {
      perMessageDeflate: false,
      handshakeTimeout: COMMAND_TIMEOUT_MS,
    });
    this.#socket = socket;
    this.#wasPaused = false;
    socket.on('open', () => this.#connect());
    socket.on('message', (frame: Buffer) => this.#receive(frame));
    // A refused or broken connection closes next.
    socket.on('error', () => verdict.count('socket errors'));
    socket.on('close', (code) => this.#closed(code));
  }

  /** Sends a publication of this client; tells nothing of its fate, which the log tells. */
  publish(channel: string, data: string): void {
    const id = this.#nextId();
    if (this.#socket?.readyState === WebSocket.OPEN)
      this.#socket.send(this.#options.wire.publish(id, { channel, data }));
  }

  /** Breaks the connection without a word. The client comes back by itself. */
  drop(): void {
    this.#socket?.terminate();
  }

  /** Stops to read, as a phone in a tunnel does. */
  pause(): void {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    this.#wasPaused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.resume();
  }

  close(): void {
    this.#isClosed = true;
    this.#forgetCommands();
    for (const timer of this.#timers) clearTimeout(timer);
    this.#socket?.terminate();
  }

  #connect(): void {
    const recover = new Map<string, Position>();
    for (const { channel, isServerSide, position } of this.subscriptions) {
      if (isServerSide && position !== undefined) recover.set(channel, position);
    }
    const { wire, token } = this.#options;
    this.#command(
      (id) => wire.connect(id, { token, recover }),
      (reply) => {
        if (reply.error !== undefined) return this.#refused(reply.error, 'connect', () => this.drop());
        for (const [channel, result] of reply.connect ?? []) this.#byChannel.get(channel)?.subscribed(result);
      },
    );
    for (const subscription of this.subscriptions) if (!subscription.isServerSide) this.#subscribe(subscription);
  }

  #subscribe(subscription: SubscriptionCheck): void {
    const { channel, position } = subscription;
    subscription.note(`subscribe since ${position === undefined ? 'now' : `${position.epoch}/${position.offset}`}`);
    this.#command(
      (id) => this.#options.wire.subscribe(id, { channel, recover: position, wants: subscription.wants }),
      (reply) => {
        if (reply.subscribe !== undefined) return subscription.subscribed(reply.subscribe);
        subscription.note(`subscribe error ${reply.error?.code}`);
        if (reply.error !== undefined)
          this.#refused(reply.error, `subscribe ${channel}`, () => this.#subscribe(subscription));
      },
    );
  }

  #refused(error: NonNullable<Reply['error']>, what: string, again: () => void): void {
    this.#options.verdict.count(`error ${error.code} at ${what.split(' ')[0]}`);
    if (!error.temporary)
      return this.#options.verdict.violate(`${this.name}: ${what} failed with ${error.code} ${error.message}`);
    const socket = this.#socket;
    this.#later(() => {
      if (socket === this.#socket && socket?.readyState === WebSocket.OPEN) again();
    });
  }

  #receive(frame: Buffer): void {
    const { wire, verdict } = this.#options;
    let replies: Reply[];
    try {
      replies = wire.decode(frame);
    } catch (error) {
      return verdict.violate(`${this.name}: a frame that cannot be read: ${String(error)}`);
    }
    for (const reply of replies) {
      if (reply.push !== undefined) this.#pushed(reply.push);
      else if (reply.isPing) this.#socket?.send(wire.pong);
      else this.#answered(reply);
    }
  }

  #answered(reply: Reply): void {
    const waiting = this.#waiting.get(reply.id);
    if (waiting === undefined) return;
    this.#waiting.delete(reply.id);
    clearTimeout(waiting.timer);
    waiting.take(reply);
  }

  #pushed({ channel, publication, unsubscribeCode }: Push): void {
    const subscription = this.#byChannel.get(channel);
    if (subscription === undefined) return this.#options.verdict.violate(`${this.name}: a push of ${channel}`);
    if (publication !== undefined) subscription.published(publication);
    if (unsubscribeCode === undefined) return;
    this.#options.verdict.count(`unsubscribe ${unsubscribeCode}`);
    subscription.ended(`unsubscribed ${unsubscribeCode}`);
    subscription.hasLostPosition = unsubscribeCode === INSUFFICIENT_STATE_CODE;
    if (unsubscribeCode >= FIRST_RESUBSCRIBE_CODE) return this.#subscribe(subscription);
    this.#options.verdict.violate(`${this.name} in ${channel}: unsubscribed for good with ${unsubscribeCode}`);
  }

  #closed(code: number): void {
    this.#forgetCommands();
    for (const subscription of this.subscriptions) subscription.ended(`closed ${code}`);
    if (this.#isClosed) return;
    this.#options.verdict.count(`close ${code}`);
    if (code === SLOW_CODE) this.#options.verdict.count(this.#wasPaused ? SLOW_ENDED : READER_ENDED);
    if (code >= FIRST_TERMINAL_CODE && code <= LAST_TERMINAL_CODE) {
      return this.#options.verdict.violate(`${this.name}: disconnected for good with ${code}`);
    }
    this.#later(() => this.open());
  }

  #command(encode: (id: number) => string | Uint8Array, take: (reply: Reply) => void): void {
    const id = this.#nextId();
    const timer = setTimeout(() => {
      this.#options.verdict.count('command timeouts');
      this.drop();
    }, COMMAND_TIMEOUT_MS);
    this.#waiting.set(id, { take, timer });
    this.#socket?.send(encode(id));
  }

  #forgetCommands(): void {
    for (const { timer } of this.#waiting.values()) clearTimeout(timer);
    this.#waiting.clear();
  }

  #nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  #later(work: () => void): void {
    const timer = setTimeout(
      () => {
        this.#timers.delete(timer);
        if (!this.#isClosed) work();
      },
      this.#options.random.between(MIN_RETRY_MS, MAX_RETRY_MS),
    );
    this.#timers.add(timer);
  }
}

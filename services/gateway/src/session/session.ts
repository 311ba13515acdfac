import { hasJsonPayloads, type ClientCodec, type ClientInfo, type Push, type Reply } from '@carillon/protocol/client';
import type { Socket } from '../edge/socket.ts';
import type { Subscriber } from '../fanout/subscriber.ts';
import { frameTypeOfPush, frameTypeOfReply, type FrameType } from './frame-type.ts';
import type { Identity } from './identity.ts';
import type { Subscription } from './subscription.ts';

/**
 * `unauthenticated`: only connect may come. `connecting`: connect is being decided. `unusable`: connect was answered
 * with an error (§3.1). `connected`: all commands. `closed`: nothing; final.
 */
export type SessionState = 'unauthenticated' | 'connecting' | 'unusable' | 'connected' | 'closed';

/** Every legal step between states; `transition` refuses all others. */
const NEXT_STATES: Readonly<Record<SessionState, readonly SessionState[]>> = {
  unauthenticated: ['connecting', 'closed'],
  connecting: ['connected', 'unusable', 'closed'],
  unusable: ['closed'],
  connected: ['closed'],
  closed: [],
};

export interface SessionHooks {
  /** A subscription lost its place in the stream; the hub has removed it already. */
  readonly onInsufficientState: (session: Session, channel: string) => void;
  readonly onInappropriatePayload: (session: Session) => void;
}

/**
 * One client connection's state: who it is, how far it got, what it is subscribed to. It decides nothing and does no
 * I/O of its own beyond handing encoded messages to its socket; commands and control change it.
 */
export class Session implements Subscriber {
  /** Client id as others see it (UUIDv4). */
  readonly id: string;
  /** Secret of the connection: addresses it in emulation requests. */
  readonly sessionId: string;
  readonly socket: Socket;
  readonly codec: ClientCodec;
  /** Ms since 1970. */
  readonly connectedAt: number;
  /** Established ones. */
  readonly subscriptions: Map<string, Subscription> = new Map();
  /** Channels whose subscribe is in flight; each settles, and never rejects, when that has ended either way. */
  readonly opening: Map<string, Promise<void>> = new Map();
  identity: Identity | undefined = undefined;
  emulatedHeaders: Readonly<Record<string, string>> = {};
  /** `name` and `version` of the connect request. */
  appName = '';
  appVersion = '';
  /** Of the last ping; -1 = not known yet. */
  roundTripMs = -1;
  #state: SessionState = 'unauthenticated';
  readonly #hooks: SessionHooks;

  constructor(options: {
    readonly id: string;
    readonly sessionId: string;
    readonly socket: Socket;
    readonly codec: ClientCodec;
    readonly connectedAt: number;
    readonly hooks: SessionHooks;
  }) {
    this.id = options.id;
    this.sessionId = options.sessionId;
    this.socket = options.socket;
    this.codec = options.codec;
    this.connectedAt = options.connectedAt;
    this.#hooks = options.hooks;
  }

  get state(): SessionState {
    return this.#state;
  }

  /** '' before authentication. */
  get user(): string {
    return this.identity?.user ?? '';
  }

  get isClosed(): boolean {
    return this.#state === 'closed';
  }

  /** Channels that count against the limit. */
  get channelCount(): number {
    return this.subscriptions.size + this.opening.size;
  }

  hasChannel(channel: string): boolean {
    return this.subscriptions.has(channel) || this.opening.has(channel);
  }

  /** Takes a legal step; false when the session is no longer where that step begins (it was closed meanwhile). */
  transition(to: SessionState): boolean {
    if (!NEXT_STATES[this.#state].includes(to)) return false;
    this.#state = to;
    return true;
  }

  /** Answers a command. Nothing is sent on unidirectional transports, which have no replies. */
  reply(id: number, body: Omit<Reply, 'id'>, frameType: FrameType = frameTypeOfReply(body)): void {
    if (this.isClosed || this.socket.traits.unidirectional) return;
    if (this.#canCarry(body)) this.socket.send(this.codec.encodeReply({ ...body, id }), frameType);
  }

  push(push: Push): void {
    if (this.isClosed || !this.#canCarry({ push })) return;
    const bare = this.socket.traits.unidirectional;
    this.socket.send(bare ? this.codec.encodePush(push) : this.codec.encodeReply({ push }), frameTypeOfPush(push));
  }

  /** A binary payload ends a JSON connection, in a reply as on the live path (§2.1 J9). */
  #canCarry(reply: Reply): boolean {
    if (this.codec.kind !== 'json' || hasJsonPayloads(reply)) return true;
    this.onInappropriatePayload();
    return false;
  }

  ping(): void {
    if (this.isClosed) return;
    // An empty push: without a length on gRPC, which frames messages itself.
    const { unidirectional } = this.socket.traits;
    this.socket.send(unidirectional ? this.codec.encodePush({}) : this.codec.ping, 'server_ping');
  }

  /** How this client is shown in presence, joins and publications (§2.5). */
  clientInfo(chanInfo: Uint8Array | undefined): ClientInfo {
    return { user: this.user, client: this.id, connInfo: this.identity?.info, chanInfo };
  }

  onInsufficientState(channel: string): void {
    this.#hooks.onInsufficientState(this, channel);
  }

  onInappropriatePayload(): void {
    this.#hooks.onInappropriatePayload(this);
  }
}

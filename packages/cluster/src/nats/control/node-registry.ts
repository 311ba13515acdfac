import { createInbox, type Msg, type NatsConnection, type Subscription } from '@nats-io/nats-core';
import type { Clock, Log, TimerHandle } from '@carillon/service-kit';
import type { NodeRecord } from '../../control.ts';
import type { NatsLink } from '../nats-connection.ts';
import { decodeNodeRecord, encodeNodeRecord } from './node-record.ts';

/** channels-and-config §2.7: a ping every 3 s, a peer counts as gone after more than 7 s. */
export const HEARTBEAT_MS = 3_000;
export const PEER_TIMEOUT_MS = 7_000;
/** Ticks of the timer per heartbeat: silence is noticed at most a third of a heartbeat late. */
const TICKS_PER_HEARTBEAT = 3;
/** How long a node that comes asks around before it believes its list. */
const SETTLE_MS = 250;
/** Records that are kept; what comes beyond is no cluster any more. */
const MAX_NODES = 10_000;

/** What others make of changes. Called synchronously; must not throw. */
export interface RegistryListener {
  /** A peer left, or has been silent for too long. */
  onGone?: ((nodeId: string) => void) | undefined;
  /** This node was not heard for so long that peers may have given it up. */
  onReturned?: (() => void) | undefined;
}

/** What the registry needs of the link. */
export interface RegistryLink extends Pick<NatsLink, 'isConnected' | 'publish' | 'onReconnect'> {
  readonly main: Pick<NatsConnection, 'subscribe'>;
  readonly subjects: Pick<NatsLink['subjects'], 'node' | 'nodeSubjects'>;
}

export interface NodeRegistryDeps {
  readonly link: RegistryLink;
  readonly clock: Clock;
  readonly log: Log;
  readonly nodeId: string;
  /** The record of this node as it is now. */
  readonly describeSelf: () => NodeRecord;
  readonly heartbeatMs?: number | undefined;
  readonly peerTimeoutMs?: number | undefined;
}

/**
 * Living nodes by their heartbeats on core NATS: every node publishes its record on its own subject and hears all.
 *
 * Not in a stream: there the record of a living node would run out while the stream elects a leader (5 to 9 s), and all
 * nodes would seem dead at once. A heartbeat says what is asked, "can be reached now", in one message and no storage.
 *
 * invariant: nobody is given up by a node that does not hear itself, since then it is the one that is cut off.
 */
export class NodeRegistry {
  readonly #link: RegistryLink;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #nodeId: string;
  readonly #describeSelf: () => NodeRecord;
  readonly #heartbeatMs: number;
  readonly #peerTimeoutMs: number;
  readonly #peers: Map<string, { record: NodeRecord; heardAt: number }> = new Map();
  readonly #listeners: Set<RegistryListener> = new Set();
  readonly #subscriptions: Subscription[] = [];
  #stopWatch: (() => void) | undefined;
  #timer: TimerHandle | undefined;
  #revision = 0;
  #heardSelfAt = -Infinity;
  #isClosed = false;

  constructor({ link, clock, log, nodeId, describeSelf, heartbeatMs, peerTimeoutMs }: NodeRegistryDeps) {
    this.#link = link;
    this.#clock = clock;
    this.#log = log;
    this.#nodeId = nodeId;
    this.#describeSelf = describeSelf;
    this.#heartbeatMs = heartbeatMs ?? HEARTBEAT_MS;
    this.#peerTimeoutMs = peerTimeoutMs ?? PEER_TIMEOUT_MS;
  }

  /** Makes this node known and learns who else lives. */
  async start(): Promise<void> {
    const inbox = createInbox();
    const { main, subjects } = this.#link;
    const callback = (error: Error | null, message: Msg): void => {
      if (error === null) this.#onHeartbeat(message);
    };
    this.#subscriptions.push(main.subscribe(subjects.nodeSubjects(), { callback }));
    this.#subscriptions.push(main.subscribe(inbox, { callback }));
    this.#stopWatch = this.#link.onReconnect(() => this.#beat(inbox));
    this.#beat(inbox);
    this.#scheduleTick(1);
    await new Promise<void>((resolve) => {
      this.#clock.setTimer(SETTLE_MS, resolve);
    });
  }

  /** Another number after each change of what `peers` gives. */
  get revision(): number {
    return this.#revision;
  }

  /** All living nodes but this one. */
  peers(): NodeRecord[] {
    return Array.from(this.#peers.values(), ({ record }) => record);
  }

  isAlive(nodeId: string): boolean {
    return nodeId === this.#nodeId || this.#peers.has(nodeId);
  }

  /** Whether this node hears its own heartbeats, and so what it says of others is worth something. */
  get isConnected(): boolean {
    return this.#clock.monotonic() - this.#heardSelfAt <= this.#peerTimeoutMs;
  }

  watch(listener: RegistryListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Tells the others that this node leaves. Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#stopWatch?.();
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    this.#listeners.clear();
    this.#peers.clear();
    this.#revision += 1;
    if (this.#link.isConnected) this.#link.publish(this.#link.subjects.node(this.#nodeId), new Uint8Array(0));
  }

  #scheduleTick(tick: number): void {
    this.#timer = this.#clock.setTimer(this.#heartbeatMs / TICKS_PER_HEARTBEAT, () => {
      this.#scheduleTick((tick + 1) % TICKS_PER_HEARTBEAT);
      this.#giveUpSilent();
      if (tick === 0) this.#beat(undefined);
    });
    this.#timer.unref();
  }

  /** With `inbox`, asks all others to say there at once who they are. */
  #beat(inbox: string | undefined): void {
    if (!this.#link.isConnected) return;
    const payload = encodeNodeRecord(this.#describeSelf());
    const subject = this.#link.subjects.node(this.#nodeId);
    this.#link.publish(subject, payload, inbox === undefined ? undefined : { reply: inbox });
  }

  #onHeartbeat({ subject, data, reply }: Msg): void {
    if (data.length === 0) {
      this.#onLeave(subject);
      return;
    }
    const record = decodeNodeRecord(data);
    if (record === undefined) return;
    if (record.id === this.#nodeId) {
      this.#onOwnHeartbeat();
      return;
    }
    const known = this.#peers.get(record.id);
    if (known === undefined) {
      if (this.#peers.size >= MAX_NODES) return;
      this.#log.info('node joined', { node: record.id, name: record.name, role: record.role });
    }
    this.#revision += 1;
    this.#peers.set(record.id, { record, heardAt: this.#clock.monotonic() });
    if (reply !== undefined && reply !== '' && this.#link.isConnected) {
      this.#link.publish(reply, encodeNodeRecord(this.#describeSelf()));
    }
  }

  #onOwnHeartbeat(): void {
    const now = this.#clock.monotonic();
    const silentMs = now - this.#heardSelfAt;
    const isFirst = this.#heardSelfAt === -Infinity;
    this.#heardSelfAt = now;
    if (isFirst || silentMs < this.#peerTimeoutMs - this.#heartbeatMs / 4) return;
    // What was not heard meanwhile says nothing about the others: they have their full time again.
    for (const peer of this.#peers.values()) peer.heardAt = now;
    this.#log.warn('was cut off from the other nodes', { silentMs: Math.round(silentMs) });
    for (const listener of this.#listeners) listener.onReturned?.();
  }

  #onLeave(subject: string): void {
    for (const id of this.#peers.keys()) {
      if (this.#link.subjects.node(id) !== subject) continue;
      this.#log.info('node left', { node: id });
      this.#remove(id);
      return;
    }
  }

  #giveUpSilent(): void {
    const now = this.#clock.monotonic();
    if (now - this.#heardSelfAt > this.#heartbeatMs * 1.5) return;
    for (const [id, { heardAt }] of this.#peers) {
      if (now - heardAt <= this.#peerTimeoutMs) continue;
      this.#log.warn('node has not been heard of', { node: id, silentMs: Math.round(now - heardAt) });
      this.#remove(id);
    }
  }

  #remove(id: string): void {
    this.#revision += 1;
    this.#peers.delete(id);
    for (const listener of this.#listeners) listener.onGone?.(id);
  }
}

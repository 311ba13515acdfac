import type { ClientInfo } from '@carillon/protocol/client';
import { OperationalError, SingleFlight, type Clock, type Log } from '@carillon/service-kit';
import type { Presence, PresenceStats } from '../presence.ts';
import type { NodeRegistry } from './control/node-registry.ts';
import type { NatsLink } from './nats-connection.ts';
import { DeadNodePurge } from './presence/dead-node-purge.ts';
import { FollowedChannels } from './presence/followed-channels.ts';
import { KeptMembers } from './presence/kept-members.ts';
import { OwnEntries } from './presence/own-entries.ts';
import { PresenceAnnouncer } from './presence/presence-announcer.ts';
import { decodePresenceEntry, type PresenceEntry } from './presence/presence-entry.ts';
import { PresenceStore } from './presence/presence-store.ts';
import { NoStreamError } from './presence/stream-request.ts';
import { createLinkRequesters } from './request/link-requesters.ts';
import type { Requester } from './request/requester.ts';

/** Of each request to NATS. */
const REQUEST_DEADLINE_MS = 5_000;

export interface NatsPresenceDeps {
  /** Shared; closed by its owner after this. */
  readonly link: NatsLink;
  /** Says which nodes live; of the control adapter, which is closed after this. */
  readonly registry: NodeRegistry;
  readonly nodeId: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Copies of the stream, for clusters of NATS. Default 1. */
  readonly replicas?: number | undefined;
  /** For tests: other times. */
  readonly requestDeadlineMs?: number | undefined;
  readonly checkMs?: number | undefined;
  readonly purgeDelayMs?: number | undefined;
}

/** Declares the stream; rejects with an OperationalError when NATS can't have it. */
export async function createNatsPresence(deps: NatsPresenceDeps): Promise<Presence> {
  const presence = new StreamPresence(deps);
  await presence.start();
  return presence;
}

/**
 * Presence in one stream in the memory of NATS: a message per channel, node and client, written on change only
 * (architecture §2.6). This node's own entries are read from its own memory, those of others from the stream, or from what
 * is followed of it where a channel is read often, as long as
 * their node lives.
 */
class StreamPresence implements Presence {
  readonly #link: NatsLink;
  readonly #registry: NodeRegistry;
  readonly #nodeId: string;
  readonly #log: Log;
  readonly #writes: Requester;
  readonly #reads: Requester;
  readonly #store: PresenceStore;
  readonly #own: OwnEntries = new OwnEntries();
  readonly #announcer: PresenceAnnouncer;
  readonly #purge: DeadNodePurge;
  readonly #followed: FollowedChannels;
  readonly #kept: KeptMembers = new KeptMembers();
  readonly #inFlight: SingleFlight<string, ReadonlyMap<string, ClientInfo>> = new SingleFlight();
  readonly #stops: (() => void)[] = [];
  #isClosed = false;

  constructor({ link, registry, nodeId, clock, log, replicas, ...times }: NatsPresenceDeps) {
    const { subjects } = link;
    this.#link = link;
    this.#registry = registry;
    this.#nodeId = nodeId;
    this.#log = log;
    const { writes, reads } = createLinkRequesters(link, clock);
    this.#writes = writes;
    this.#reads = reads;
    this.#store = new PresenceStore({
      subjects,
      writes: this.#writes,
      reads: this.#reads,
      replicas: replicas ?? 1,
      deadlineMs: times.requestDeadlineMs ?? REQUEST_DEADLINE_MS,
    });
    const shared = { store: this.#store, subjects, nodeId, clock, log };
    this.#announcer = new PresenceAnnouncer({
      ...shared,
      own: this.#own,
      atTurnEnd: (fn) => link.atTurnEnd(fn),
      checkMs: times.checkMs,
    });
    this.#purge = new DeadNodePurge({ ...shared, registry, delayMs: times.purgeDelayMs });
    this.#followed = new FollowedChannels({
      link,
      clock,
      log,
      deadlineMs: times.requestDeadlineMs ?? REQUEST_DEADLINE_MS,
      decode: (bytes) => this.#decode(bytes),
      read: (channel, onBytes) => this.#readStream(channel, onBytes),
    });
  }

  async start(): Promise<void> {
    await this.#announcer.start();
    this.#stops.push(
      this.#link.onReconnect(() => void this.#announcer.check()),
      this.#registry.watch({
        onGone: (nodeId) => this.#purge.onGone(nodeId),
        onReturned: () => this.#announcer.lost(),
      }),
    );
  }

  async add(channel: string, info: ClientInfo): Promise<void> {
    this.#assertOpen();
    const client = info.client ?? '';
    this.#own.set(channel, info);
    try {
      await this.#announcer.write(channel, client);
    } catch (error) {
      // The caller is going to refuse the client. The write may have arrived all the same.
      if (this.#own.get(channel, client) === info) this.#own.delete(channel, client);
      this.#announcer.writeLater(channel, client);
      throw error;
    }
  }

  async replace(channel: string, info: ClientInfo): Promise<void> {
    const client = info.client ?? '';
    if (this.#isClosed || this.#own.get(channel, client) === undefined) return;
    this.#own.set(channel, info);
    try {
      await this.#announcer.write(channel, client);
    } catch (error) {
      this.#log.debug('could not replace a presence entry yet', { channel, error });
      this.#announcer.writeLater(channel, client);
    }
  }

  /** Never rejects: what can't be written now is written as soon as it can be. */
  async remove(channel: string, client: string): Promise<void> {
    if (this.#isClosed || !this.#own.delete(channel, client)) return;
    try {
      await this.#announcer.takeOut(channel, client);
    } catch (error) {
      this.#log.debug('could not remove a presence entry yet', { channel, error });
      this.#announcer.writeLater(channel, client);
    }
  }

  async members(channel: string): Promise<ReadonlyMap<string, ClientInfo>> {
    this.#assertOpen();
    const followed = await this.#followed.entries(channel);
    if (followed === undefined) return await this.#inFlight.run(channel, () => this.#read(channel));
    const members = this.#kept.of(followed, this.#isCounted);
    const own = this.#own.of(channel);
    return own.size === 0 ? members : new Map([...members, ...own]);
  }

  async stats(channel: string): Promise<PresenceStats> {
    return this.#kept.statsOf(await this.members(channel));
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const stop of this.#stops) stop();
    this.#purge.close();
    this.#followed.close();
    // Whoever does not get through leaves it to the others: without its heartbeat the entries do not count.
    await this.#announcer.close().catch((error: unknown) => this.#log.debug('left presence behind', { error }));
    this.#own.clear();
    this.#writes.close();
    this.#reads.close();
  }

  async #read(channel: string): Promise<ReadonlyMap<string, ClientInfo>> {
    this.#assertOpen();
    const members = new Map<string, ClientInfo>();
    await this.#readStream(channel, (bytes) => {
      const entry = this.#decode(bytes);
      if (entry === undefined || entry.nodeId === this.#nodeId) return;
      if (this.#registry.isAlive(entry.nodeId)) members.set(entry.info.client ?? '', entry.info);
      else this.#purge.purgeSoon(entry.nodeId);
    });
    for (const [client, info] of this.#own.of(channel)) members.set(client, info);
    return members;
  }

  /** Of the entries that others wrote those count whose node lives. */
  readonly #isCounted = (nodeId: string): boolean => nodeId !== this.#nodeId && this.#registry.isAlive(nodeId);

  async #readStream(channel: string, onBytes: (bytes: Uint8Array) => void): Promise<void> {
    const filter = this.#link.subjects.presenceOfChannel(channel);
    try {
      await this.#store.read(filter, onBytes);
    } catch (error) {
      if (!(error instanceof NoStreamError)) throw error;
      await this.#announcer.restore();
      await this.#store.read(filter, onBytes);
    }
  }

  #decode(bytes: Uint8Array): PresenceEntry | undefined {
    try {
      return decodePresenceEntry(bytes);
    } catch (error) {
      this.#log.warn('ignoring a presence entry', { error });
      return undefined;
    }
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new OperationalError('presence_closed', 'presence is closed', { retriable: false });
  }
}

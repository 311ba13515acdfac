import type { Clock, Log } from '@carillon/service-kit';
import { isRunning, type Ban, type BanKey } from '../ban-list.ts';
import { MAX_BANS, type BanListener, type BanStore, type BanView } from '../bans.ts';
import { bansFullError } from '../memory/memory-bans.ts';
import { BanFollower } from './bans/ban-follower.ts';
import { banToken, encodeBanRecord, type BanRecord } from './bans/ban-record.ts';
import { banStreamConfig, BanStream, sequenceOf } from './bans/ban-stream.ts';
import type { NatsLink } from './nats-connection.ts';
import { declareStreams } from './nats-streams.ts';
import { NoStreamError } from './presence/stream-request.ts';
import { createLinkRequesters } from './request/link-requesters.ts';
import type { Requester } from './request/requester.ts';

const REQUEST_DEADLINE_MS = 5_000;
/** How long the record of a removal stays: a node that was away for longer reads everything again. */
const REMOVAL_TTL_S = 3_600;

export interface NatsBansDeps {
  /** Shared; closed by its owner after this. */
  readonly link: NatsLink;
  readonly clock: Clock;
  readonly log: Log;
  readonly replicas?: number | undefined;
  /** For tests: other bounds. */
  readonly maxBans?: number | undefined;
  readonly checkMs?: number | undefined;
}

/** Declares the stream and reads all bans; rejects with an OperationalError when NATS can't have or give them. */
export async function createNatsBans(deps: NatsBansDeps): Promise<BanStore> {
  const bans = new StreamBans(deps);
  try {
    await bans.start();
  } catch (error) {
    await bans.close();
    throw error;
  }
  return bans;
}

/** Bans in a stream: one message per ban, followed by every node (architecture §2). */
class StreamBans implements BanStore {
  readonly current: BanView;
  readonly #link: NatsLink;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #replicas: number;
  readonly #maxBans: number;
  readonly #writes: Requester;
  readonly #reads: Requester;
  readonly #stream: BanStream;
  readonly #follower: BanFollower;
  readonly #listeners: Set<BanListener> = new Set();
  readonly #stops: (() => void)[] = [];
  #isClosed = false;

  constructor({ link, clock, log, replicas, maxBans, checkMs }: NatsBansDeps) {
    this.#link = link;
    this.#clock = clock;
    this.#log = log;
    this.#replicas = replicas ?? 1;
    this.#maxBans = maxBans ?? MAX_BANS;
    const { writes, reads } = createLinkRequesters(link, clock);
    this.#writes = writes;
    this.#reads = reads;
    this.#stream = new BanStream({
      subjects: link.subjects,
      writes: this.#writes,
      reads: this.#reads,
      deadlineMs: REQUEST_DEADLINE_MS,
    });
    this.#follower = new BanFollower({
      stream: this.#stream,
      clock,
      log,
      isConnected: () => link.isConnected,
      listener: {
        onBan: (ban) => this.#tell((listener) => listener.onBan(ban)),
        onReloaded: () => this.#tell((listener) => listener.onReloaded()),
      },
      checkMs,
    });
    this.current = currentOf(this.#follower);
  }

  async start(): Promise<void> {
    const { main, subjects } = this.#link;
    // Before everything is read, so that nothing comes in between.
    const subscription = main.subscribe(subjects.liveBans(), {
      callback: (error, message) => {
        if (error === null) this.#follower.hear({ sequence: sequenceOf(message), data: message.data });
      },
    });
    this.#stops.push(() => subscription.unsubscribe());
    this.#stops.push(this.#link.onReconnect(() => this.#follower.reload()));
    await this.#declare();
    await this.#follower.start();
  }

  async put(ban: Ban): Promise<void> {
    const nowS = this.#clock.now() / 1000;
    if (!isRunning(ban.expireAt, nowS)) {
      await this.remove(ban);
      return;
    }
    if (this.#follower.list.size >= this.#maxBans && !this.#follower.list.has(ban)) throw bansFullError(this.#maxBans);
    await this.#write(ban, { kind: 'put', ban }, ban.expireAt === 0 ? 0 : ban.expireAt - nowS);
  }

  async remove(key: BanKey): Promise<void> {
    // Others may have put it a moment ago: what this node does not know of, it asks for.
    if (!this.#follower.list.has(key) && !(await this.#stream.has(banToken(key)))) return;
    await this.#write(key, { kind: 'remove', key: keyOf(key) }, REMOVAL_TTL_S);
  }

  watch(listener: BanListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const stop of this.#stops) stop();
    this.#listeners.clear();
    this.#writes.close();
    this.#reads.close();
    await this.#follower.close();
  }

  #declare(): Promise<void> {
    const { main, subjects } = this.#link;
    return declareStreams([banStreamConfig(subjects, this.#replicas)], {
      connection: main,
      subjects,
      log: this.#log,
      clock: this.#clock,
      isCancelled: () => this.#isClosed,
    });
  }

  /** Resolves when the record counts here. */
  async #write(key: BanKey, record: BanRecord, ttlS: number): Promise<void> {
    const data = encodeBanRecord(record);
    const token = banToken(key);
    try {
      const sequence = await this.#stream.write(token, data, ttlS);
      await this.#follower.adopt({ sequence, data });
    } catch (error) {
      if (!(error instanceof NoStreamError)) throw error;
      // Somebody deleted the stream: what was in it is gone, what comes goes into another.
      await this.#declare();
      const sequence = await this.#stream.write(token, data, ttlS);
      this.#follower.reload();
      await this.#follower.adopt({ sequence, data });
    }
  }

  #tell(news: (listener: BanListener) => void): void {
    for (const listener of this.#listeners) news(listener);
  }
}

/** The list changes with each reload, what is handed out does not. */
function currentOf(source: Pick<BanFollower, 'list'>): BanView {
  return {
    isUserBlocked: (user, nowS) => source.list.isUserBlocked(user, nowS),
    isTokenRevoked: (token, nowS) => source.list.isTokenRevoked(token, nowS),
    get size() {
      return source.list.size;
    },
  };
}

/** The key alone of what may be a whole ban. */
function keyOf(key: BanKey): BanKey {
  switch (key.kind) {
    case 'user':
      return { kind: key.kind, user: key.user };
    case 'token':
      return { kind: key.kind, tokenId: key.tokenId };
    case 'user_tokens':
      return { kind: key.kind, user: key.user, channel: key.channel };
  }
}

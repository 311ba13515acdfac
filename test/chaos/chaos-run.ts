import { setTimeout as sleep } from 'node:timers/promises';

import { secondsFromNow, signToken } from '../harness/token.ts';
import { runOperation } from './action/operations.ts';
import { Publisher } from './action/publisher.ts';
import { channelRules, type ChannelKind } from './channel-kinds.ts';
import { jsonWire } from './client/json-wire.ts';
import { protobufWire } from './client/protobuf-wire.ts';
import { RecoveringClient } from './client/recovering-client.ts';
import { SubscriptionCheck } from './client/subscription-check.ts';
import type { Position, Wish } from './client/wire.ts';
import type { ChaosCluster } from './cluster/chaos-cluster.ts';
import { ReferenceLog } from './model/reference-log.ts';
import { Verdict } from './model/verdict.ts';
import { Random } from './random.ts';

export interface ChaosRunOptions {
  readonly seed: number;
  readonly cluster: ChaosCluster;
  readonly numClients: number;
  /** Default: those of CHAOS_CONFIG. */
  readonly kinds?: readonly ChannelKind[] | undefined;
}

const CHANNELS_PER_CLIENT = 8;
// One in so many is subscribed by its token: it hears of a lost position by 3010.
const SERVER_SIDE_EVERY = 8;
// Three filters and two readers of patches in twelve, of either encoding, and one in seven hears the floods.
const WISHES_EVERY = 12;
const FLOODED_EVERY = 7;
const OPERATIONS_IN_FLIGHT = 12;
const MAX_PAUSE_MS = 250;
const SETTLE_DEADLINE_MS = 40_000;
const POLL_MS = 50;

/** Clients and backends at work on a cluster, with each delivery to each client checked by the model. */
export class ChaosRun {
  readonly verdict: Verdict = new Verdict();
  readonly clients: readonly RecoveringClient[];
  readonly logs: ReadonlyMap<string, ReferenceLog>;
  readonly random: Random;
  readonly #cluster: ChaosCluster;
  readonly #seed: number;
  readonly publisher: Publisher;
  #operations: Promise<void>[] = [];
  #isOver = false;

  constructor({ seed, cluster, numClients, kinds }: ChaosRunOptions) {
    this.#seed = seed;
    this.#cluster = cluster;
    this.random = new Random(seed);
    this.logs = new Map(
      channelRules(`${seed.toString(36)}-`, kinds).map((rules) => [
        rules.channel,
        new ReferenceLog(rules, this.verdict),
      ]),
    );
    this.clients = Array.from({ length: numClients }, (_, index) => this.#createClient(index));
    this.publisher = new Publisher({
      apis: cluster.apis,
      logs: this.logs,
      random: this.random.fork(),
      verdict: this.verdict,
    });
  }

  /** Settles when all clients are subscribed and the operations go. */
  async start(): Promise<void> {
    for (const client of this.clients) client.open();
    await this.until(() => this.clients.every(({ isReady }) => isReady), 'all clients are subscribed');
    this.resume();
  }

  /** Starts the operations (again). */
  resume(): void {
    this.#isOver = false;
    this.#operations = Array.from({ length: OPERATIONS_IN_FLIGHT }, () => this.#operate(this.random.fork()));
  }

  /** Ends the operations. With nothing broken and nothing published any more, everybody comes to the top of each channel. */
  async settle(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#operations);
    await this.until(() => this.clients.every(({ isReady }) => isReady), 'all clients are subscribed in the end');
    const tops = await this.tops();
    const behind = (): string[] => this.#behind(tops);
    await this.until(() => behind().length === 0, 'everybody is at the top', behind);
  }

  /** Top of every channel, as the server API tells it. */
  async tops(): Promise<Map<string, Position>> {
    const tops = new Map<string, Position>();
    for (const [channel, log] of this.logs) {
      const read = async (): Promise<boolean> => {
        const before = { acknowledged: log.topAcknowledged, askedAt: performance.now() };
        const answer = await this.publisher.api().history(channel);
        if (answer === undefined) return false;
        log.checkHistory(answer, before);
        log.checkTop(answer.top);
        tops.set(channel, answer.top);
        return true;
      };
      await this.until(read, `a history of ${channel}`);
    }
    return tops;
  }

  /** Channels that no operation picks by chance. */
  get reservedChannels(): string[] {
    return [...this.logs.values()].filter(({ rules }) => rules.isReserved === true).map(({ rules }) => rules.channel);
  }

  /** Channels that operations by chance may pick. */
  get openChannels(): string[] {
    return [...this.logs.values()].filter(({ rules }) => rules.isReserved !== true).map(({ rules }) => rules.channel);
  }

  /** Leaves a mark in the trace of each subscription. */
  note(event: string): void {
    for (const client of this.clients) for (const each of client.subscriptions) each.note(`* ${event}`);
  }

  async until(
    check: () => boolean | Promise<boolean>,
    what: string,
    why: () => readonly string[] = () => [],
  ): Promise<void> {
    const giveUpAt = performance.now() + SETTLE_DEADLINE_MS;
    while (!(await check())) {
      if (performance.now() > giveUpAt) {
        const reasons = why();
        this.verdict.violate(`not within ${SETTLE_DEADLINE_MS} ms: ${what} (${reasons.length})`);
        for (const reason of reasons.slice(0, 3)) this.verdict.violate(reason);
        return;
      }
      await sleep(POLL_MS);
    }
  }

  summary(): string {
    const counts = Object.entries(this.verdict.counts).sort(([one], [other]) => one.localeCompare(other));
    return `CHAOS_SEED=${this.#seed}\n${counts.map(([name, count]) => `  ${name}: ${count}`).join('\n')}`;
  }

  close(): void {
    this.#isOver = true;
    for (const client of this.clients) client.close();
  }

  #createClient(index: number): RecoveringClient {
    const name = `client ${index}`;
    const random = this.random.fork();
    const { verdict } = this;
    const isFlooded = index % FLOODED_EVERY === 0;
    const logs = this.#open(isFlooded, random);
    const isServerSide = index % SERVER_SIDE_EVERY === SERVER_SIDE_EVERY - 1;
    const wants = wishOf(index);
    const channels = isServerSide ? { channels: logs.map(({ rules }) => rules.channel) } : {};
    return new RecoveringClient({
      name,
      wire: index % 2 === 0 ? jsonWire : protobufWire,
      token: signToken({ sub: `u${index}`, exp: secondsFromNow(3_600), ...channels }),
      subscriptions: logs.map((log) => new SubscriptionCheck({ owner: name, isServerSide, log, verdict, wants })),
      nextUrl: () => `ws://127.0.0.1:${random.pick(this.#cluster.gateways).port}/connection/websocket`,
      random,
      verdict,
    });
  }

  async #operate(random: Random): Promise<void> {
    const scene = { publisher: this.publisher, clients: this.clients, channels: this.openChannels, random };
    while (!this.#isOver) {
      try {
        await runOperation(scene);
      } catch (error) {
        const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
        this.verdict.violate(`an operation failed: ${why}`);
      }
      await sleep(random.between(0, MAX_PAUSE_MS));
    }
  }

  /** Channels of a client: some by chance, and that of the floods for some clients. */
  #open(isFlooded: boolean, random: Random): ReferenceLog[] {
    const all = [...this.logs.values()];
    const open = all.filter(({ rules }) => rules.isReserved !== true);
    const flooded = isFlooded ? all.filter(({ rules }) => rules.isReserved === true) : [];
    return [...flooded, ...random.shuffle(open).slice(0, CHANNELS_PER_CLIENT - flooded.length)];
  }

  #behind(tops: ReadonlyMap<string, Position>): string[] {
    return this.clients.flatMap(({ name, subscriptions }) =>
      subscriptions
        .map((each) => ({ each, top: tops.get(each.channel)?.offset ?? 0 }))
        .map((found) => ({ ...found, missing: found.each.missing(found.top) }))
        .filter(({ missing }) => missing.length > 0)
        .map(({ each, top, missing }) => {
          const lacks = `lacks ${missing.slice(0, 10).join(' ')}`;
          return `${name} is at ${each.position?.offset} of ${top} in ${each.channel}, ${lacks}\n    ${each.trace()}`;
        }),
    );
  }
}

/** By index, so that each kind of client comes with JSON (even) and with Protobuf (odd). Server-side ones may not wish. */
function wishOf(index: number): Wish | undefined {
  if (index % SERVER_SIDE_EVERY === SERVER_SIDE_EVERY - 1) return undefined;
  const place = index % WISHES_EVERY;
  if (place === 2 || place === 5) return { kind: 'delta' };
  if (place === 4 || place === 9) return { kind: 'tag', tag: String(index % 4) };
  return undefined;
}

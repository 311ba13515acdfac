import { BrokerError, type Broker } from '@carillon/cluster';
import { OperationalError, TimerWheel, type Clock } from '@carillon/service-kit';
import type { ChannelEntry } from './channel/channel-entry.ts';
import type { HubMetrics } from './hub-metrics.ts';

const WHEEL_TICK_MS = 1_000;
const WHEEL_SLOTS = 64;

/** A channel that found no free place for its check looks again after this. */
const BUSY_DELAY_MS = 1_000;

export interface PositionWatchDeps {
  readonly broker: Pick<Broker, 'history'>;
  readonly clock: Clock;
  readonly metrics: HubMetrics;
  /** Silence after which a channel is checked, ms; 0 = never. */
  readonly checkDelayMs: number;
  /** Checks at the broker at one time. */
  readonly maxChecks: number;
  /** The broker's top is not where this node is: positioned subscribers must be told. */
  readonly onMismatch: (entry: ChannelEntry) => void;
}

/**
 * Finds publications that never arrived and were the last: compares the position of each silent positioned channel with
 * the broker's top, once per channel whatever the number of subscribers (client-protocol §4.7). A failed read means
 * nothing and is tried again after another delay.
 */
export class PositionWatch {
  readonly #deps: PositionWatchDeps;
  readonly #wheel: TimerWheel<ChannelEntry['watchTimer']>;
  #checks = 0;

  constructor(deps: PositionWatchDeps) {
    this.#deps = deps;
    this.#wheel = new TimerWheel({
      clock: deps.clock,
      tickMs: WHEEL_TICK_MS,
      slots: WHEEL_SLOTS,
      onDue: ({ owner }) => this.#look(owner),
    });
  }

  /** Checks that wait for the broker. */
  get checksInFlight(): number {
    return this.#checks;
  }

  /** Watches a channel for as long as it has positioned subscribers. Calling it again changes nothing. */
  watch(entry: ChannelEntry): void {
    if (this.#deps.checkDelayMs <= 0 || entry.watchTimer.wheelSlot >= 0) return;
    entry.positionSeenAt = this.#deps.clock.monotonic();
    this.#wheel.schedule(entry.watchTimer, this.#deps.checkDelayMs);
  }

  unwatch(entry: ChannelEntry): void {
    this.#wheel.cancel(entry.watchTimer);
  }

  stop(): void {
    this.#wheel.stop();
  }

  #look(entry: ChannelEntry): void {
    if (!entry.hasPositioned) return;
    const { checkDelayMs, maxChecks, clock } = this.#deps;
    const silentMs = clock.monotonic() - entry.positionSeenAt;
    if (silentMs < checkDelayMs) return this.#wheel.schedule(entry.watchTimer, checkDelayMs - silentMs);
    if (this.#checks >= maxChecks) return this.#wheel.schedule(entry.watchTimer, BUSY_DELAY_MS);
    this.#wheel.schedule(entry.watchTimer, checkDelayMs);
    void this.#check(entry);
  }

  async #check(entry: ChannelEntry): Promise<void> {
    const { broker, metrics, clock, onMismatch } = this.#deps;
    const { position, readRetention } = entry;
    if (readRetention === undefined) return;
    const { generation, offset } = position;
    this.#checks += 1;
    metrics.positionChecks.inc();
    try {
      const { top } = await broker.history(entry.channel, { retention: readRetention, limit: 0 });
      if (!entry.hasPositioned || position.generation !== generation) return;
      entry.positionSeenAt = clock.monotonic();
      // What the top counts has arrived before the answer; publications that arrived during the read are above it.
      const isBehind = position.offset === offset && top.offset < offset;
      if (isBehind) position.forget();
      if (position.observe(top) === 'lost' || isBehind) onMismatch(entry);
    } catch (error) {
      if (!(error instanceof OperationalError || error instanceof BrokerError)) throw error;
      // An unreachable broker says nothing about positions (channels-and-config §2.4).
      metrics.positionCheckFailures.inc();
    } finally {
      this.#checks -= 1;
    }
  }
}

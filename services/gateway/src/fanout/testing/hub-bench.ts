import { FakeClock, type CounterCell } from '@carillon/service-kit';
import type { Retention } from '@carillon/cluster';
import { BrokerChannelHub } from '../channel-hub.ts';
import type { HubMetrics } from '../hub-metrics.ts';
import type { OpenedState, OpenOptions } from '../hub-port.ts';
import { DEFAULT_HUB_SETTINGS, type HubSettings } from '../hub-settings.ts';
import { FakeClient, FakeTopics, type FakeClientOptions } from './fake-client.ts';
import { ScriptedBroker } from './scripted-broker.ts';

export const RETENTION: Retention = { historySize: 100, historyTtlMs: 60_000, historyMetaTtlMs: 3_600_000 };

/** Plain live delivery. */
export const FREE: OpenOptions = {
  retention: RETENTION,
  positioned: false,
  recoverable: false,
  recoveryMode: 'stream',
  delta: false,
  pushJoinLeave: false,
  recoveryLimit: 300,
};

export const POSITIONED: OpenOptions = { ...FREE, positioned: true };
export const RECOVERABLE: OpenOptions = { ...POSITIONED, recoverable: true };

export type Counts = Record<keyof HubMetrics, number>;

/** A hub on a scripted broker, with everything a test looks at. */
export class HubBench {
  readonly clock: FakeClock = new FakeClock();
  readonly broker: ScriptedBroker = new ScriptedBroker();
  readonly topics: FakeTopics = new FakeTopics();
  readonly counts: Counts;
  readonly hub: BrokerChannelHub;

  constructor(settings: Partial<HubSettings> = {}) {
    const { metrics, counts } = countingMetrics();
    this.counts = counts;
    this.hub = new BrokerChannelHub({
      broker: this.broker,
      publisher: this.topics,
      clock: this.clock,
      metrics,
      settings: { ...DEFAULT_HUB_SETTINGS, ...settings },
    });
    this.broker.receiver = this.hub;
  }

  client(options?: FakeClientOptions): FakeClient {
    return new FakeClient(this.topics, options);
  }

  async subscribe(client: FakeClient, options: OpenOptions, channel = 'news'): Promise<OpenedState> {
    const open = await this.hub.open(client, channel, options);
    return open.finish();
  }

  /** A new client, subscribed. */
  async subscribed(options: OpenOptions, transport?: FakeClientOptions): Promise<FakeClient> {
    const client = this.client(transport);
    await this.subscribe(client, options);
    return client;
  }
}

/** Lets every promise that can settle do so. */
export function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

function countingMetrics(): { metrics: HubMetrics; counts: Counts } {
  const counts: Counts = {
    publications: 0,
    deliveries: 0,
    joinLeaveDeliveries: 0,
    tagsFilterDropped: 0,
    duplicates: 0,
    framesEncoded: 0,
    patches: 0,
    insufficientStates: 0,
    inappropriatePayloads: 0,
    streamReads: 0,
    streamReadsShared: 0,
    pendingOverflows: 0,
    positionChecks: 0,
    positionCheckFailures: 0,
    brokerFailures: 0,
  };
  const cell = (name: keyof Counts): CounterCell => ({ inc: (amount = 1) => void (counts[name] += amount) });
  const metrics: HubMetrics = {
    publications: cell('publications'),
    deliveries: cell('deliveries'),
    joinLeaveDeliveries: cell('joinLeaveDeliveries'),
    tagsFilterDropped: cell('tagsFilterDropped'),
    duplicates: cell('duplicates'),
    framesEncoded: cell('framesEncoded'),
    patches: cell('patches'),
    insufficientStates: cell('insufficientStates'),
    inappropriatePayloads: cell('inappropriatePayloads'),
    streamReads: cell('streamReads'),
    streamReadsShared: cell('streamReadsShared'),
    pendingOverflows: cell('pendingOverflows'),
    positionChecks: cell('positionChecks'),
    positionCheckFailures: cell('positionCheckFailures'),
    brokerFailures: cell('brokerFailures'),
  };
  return { metrics, counts };
}

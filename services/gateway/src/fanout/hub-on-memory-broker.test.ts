import type { LiveReceiver } from '@carillon/cluster';
import { MemoryBroker } from '@carillon/cluster/memory';
import { createMetrics, FakeClock } from '@carillon/service-kit';
import { describe, expect, it } from 'vitest';
import { BrokerChannelHub } from './channel-hub.ts';
import { createHubMetrics } from './hub-metrics.ts';
import { DEFAULT_HUB_SETTINGS, type HubSettings } from './hub-settings.ts';
import { bytes, FakeClient, FakeTopics } from './testing/fake-client.ts';
import { FREE, POSITIONED, RECOVERABLE, RETENTION } from './testing/hub-bench.ts';

/** The hub as one process has it: a broker that hands over within the call of `publish`. */
function createProcess(settings: Partial<HubSettings> = {}) {
  const clock = new FakeClock();
  const topics = new FakeTopics();
  let hub: LiveReceiver | undefined;
  const receiver: LiveReceiver = {
    onPublication: (channel, live) => hub?.onPublication(channel, live),
    onJoin: (channel, info) => hub?.onJoin(channel, info),
    onLeave: (channel, info) => hub?.onLeave(channel, info),
    onPositionLost: (channel) => hub?.onPositionLost(channel),
  };
  const broker = new MemoryBroker({ clock, receiver });
  const metrics = createMetrics({ prefix: 'carillon', withProcessMetrics: false });
  const channelHub = new BrokerChannelHub({
    broker,
    publisher: topics,
    clock,
    metrics: createHubMetrics(metrics),
    settings: { ...DEFAULT_HUB_SETTINGS, ...settings },
  });
  hub = channelHub;
  const publish = (payload: string) => broker.publish({ channel: 'news', data: bytes(payload), retention: RETENTION });
  return { clock, broker, metrics, hub: channelHub, publish, client: () => new FakeClient(topics) };
}

describe('the hub on the memory broker', () => {
  it('delivers, lets go and recovers', async () => {
    const { hub, publish, client, clock, metrics } = createProcess();
    const first = client();
    (await hub.open(first, 'news', RECOVERABLE)).finish();
    await publish('1');
    hub.close(first, 'news');
    await clock.advance(2_000);
    await publish('2');
    await publish('3');
    const { epoch = '' } = first.publications[0] ?? {};
    const open = await hub.open(first, 'news', { ...RECOVERABLE, recoverFrom: { offset: 1, epoch } });
    await publish('4');
    const state = open.finish();
    expect(state).toMatchObject({ recovered: true, offset: 1, epoch });
    expect(state.publications.map(({ offset }) => offset)).toEqual([2, 3, 4]);
    await publish('5');
    expect(first.offsets).toEqual([1, 5]);
    expect((await metrics.render()).body).toContain('carillon_gateway_hub_deliveries_total 2');
    hub.stop();
  });

  it('does not recover what was removed, and keeps the position', async () => {
    const { hub, publish, client, broker } = createProcess();
    await publish('1');
    await publish('2');
    const { top } = await broker.history('news', { retention: RETENTION, limit: 0 });
    await broker.removeHistory('news', RETENTION);
    const open = await hub.open(client(), 'news', { ...RECOVERABLE, recoverFrom: { offset: 1, epoch: top.epoch } });
    expect(open.finish()).toMatchObject({ recovered: false, offset: 2, epoch: top.epoch });
  });

  it('keeps a stream alive that positioned subscribers watch, longer than its meta ttl', async () => {
    const { hub, client, clock } = createProcess();
    const watcher = client();
    (await hub.open(watcher, 'news', POSITIONED)).finish();
    await clock.advance(2 * RETENTION.historyMetaTtlMs);
    expect(watcher.lost).toEqual([]);
  });

  it('tells positioned subscribers that a stream began anew when something is published, not before', async () => {
    const { hub, client, clock, broker, publish } = createProcess({ positionCheckDelayMs: 0 });
    const [watcher, free] = [client(), client()];
    (await hub.open(watcher, 'news', POSITIONED)).finish();
    (await hub.open(free, 'news', FREE)).finish();
    await clock.advance(2 * RETENTION.historyMetaTtlMs);
    await broker.history('news', { retention: RETENTION, limit: 0 });
    expect(watcher.lost).toEqual([]);
    await publish('1');
    expect(watcher.lost).toEqual(['news']);
    expect(watcher.payloads).toEqual([]);
    expect(free.payloads).toEqual(['1']);
    hub.stop();
  });

  it('lets positioned subscribers of a channel without history receive everything', async () => {
    const { hub, client, broker } = createProcess();
    const subscriber = client();
    const open = await hub.open(subscriber, 'plain', { ...RECOVERABLE, retention: undefined });
    expect(open.finish()).toMatchObject({ positioned: true, recoverable: true, offset: 0 });
    await broker.publish({ channel: 'plain', data: bytes('1') });
    await broker.publish({ channel: 'plain', data: bytes('2') });
    expect(subscriber.payloads).toEqual(['1', '2']);
    (await hub.open(client(), 'plain', { ...FREE, retention: undefined })).finish();
    expect(hub.numSubscriptions).toBe(2);
  });
});

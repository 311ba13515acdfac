import { FakeClock, OperationalError, createSilentLog } from '@carillon/service-kit';
import { describe, expect, test } from 'vitest';
import { nodeRecord } from '../broker-test/broker-test-cluster.ts';
import { createNatsSubjects } from '../nats-subjects.ts';
import type { ScannedMessage, ScanStart } from '../request/stream-scan.ts';
import { ownerOf } from '../owner/channel-owner.ts';
import { RestSweep } from './rest-sweep.ts';

const subjects = createNatsSubjects({ prefix: 'c', shards: 1 });
const CHANNELS = Array.from({ length: 600 }, (_, index) => `news:${index}`);
const NOW_MS = 1_700_000_000_000;

function setUp() {
  const clock = new FakeClock(NOW_MS);
  const state = { nodes: [nodeRecord('a'), nodeRecord('b')], isAway: false, lastTimeMs: NOW_MS };
  const starts: ScanStart[] = [];
  const found: string[] = [];
  const messages = CHANNELS.map((channel, index) => ({
    subject: subjects.logSlot(channel, { slots: 2, index: 1 }),
    sequence: index + 1,
  }));
  const scan = {
    lastTimeMs: async () => state.lastTimeMs,
    read: async (_stream: string, start: ScanStart, count: number): Promise<ScannedMessage[]> => {
      if (state.isAway) throw new OperationalError('away', 'away');
      starts.push(start);
      const from = 'sequence' in start ? start.sequence - 1 : 0;
      return messages.slice(from, from + count);
    },
  };
  const sweep = new RestSweep({
    scan,
    subjects,
    clock,
    log: createSilentLog(),
    nodes: () => state.nodes,
    nodeId: 'a',
    onFound: (channel) => found.push(channel),
  });
  return { clock, state, starts, found, sweep };
}

describe('the sweep for channels whose writer is gone', () => {
  test('finds the channels of the last minutes that are ours, at the start and when a node is lost', async () => {
    const { clock, state, starts, found, sweep } = setUp();
    await clock.advance(10_000);
    const ours = CHANNELS.filter((channel) => ownerOf(channel, state.nodes) === 'a');
    expect(found).toEqual(ours);
    expect(starts[0]).toEqual({ timeMs: NOW_MS - 150_000 });
    expect(starts).toHaveLength(3);
    await clock.advance(60_000);
    expect(starts).toHaveLength(3);
    state.nodes = [nodeRecord('a')];
    found.length = 0;
    await clock.advance(10_000);
    expect(found).toEqual(CHANNELS);
    sweep.close();
  });

  test('looks at the time before an outage of everything', async () => {
    const { clock, state, starts, sweep } = setUp();
    state.lastTimeMs = NOW_MS - 86_400_000;
    await clock.advance(10_000);
    expect(starts[0]).toEqual({ timeMs: NOW_MS - 86_400_000 - 150_000 });
    sweep.close();
  });

  test('tries again when NATS is away', async () => {
    const { clock, state, found, sweep } = setUp();
    state.isAway = true;
    await clock.advance(20_000);
    state.isAway = false;
    expect(found).toEqual([]);
    await clock.advance(40_000);
    expect(found.length).toBeGreaterThan(0);
    sweep.close();
  });
});

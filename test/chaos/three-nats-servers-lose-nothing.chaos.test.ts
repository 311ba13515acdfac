import { setTimeout as sleep } from 'node:timers/promises';
import { createNatsSubjects } from '@carillon/cluster/nats';
import type { TestNats } from '@carillon/dev-tools/test-nats';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { killAndStart, restartNats } from './action/faults.ts';
import { CHAOS_CONFIG, SHARDS } from './channel-kinds.ts';
import { ChaosRun } from './chaos-run.ts';
import { say } from './chaos-settings.ts';
import { startReplicatedCluster, type ChaosCluster } from './cluster/chaos-cluster.ts';
import { areReplicasCurrent, leaderOf, numRoutes } from './cluster/stream-leader.ts';
import { seedOfRun } from './random.ts';

const NUM_CLIENTS = 48;
const WORK_MS = 2_500;
const APART_MS = 10_000;
const POLL_MS = 20;
// An election takes 5 to 9 s; the machine of a test is busy.
const RESUME_DEADLINE_MS = 30_000;
// A server that comes back to a log with other entries than its own may take a while to get them.
const CATCH_UP_DEADLINE_MS = 120_000;

let cluster: ChaosCluster;

beforeAll(async () => {
  cluster = await startReplicatedCluster(CHAOS_CONFIG);
});

afterAll(() => cluster.stop());

async function withRun(work: (run: ChaosRun) => Promise<void>): Promise<void> {
  const run = new ChaosRun({ seed: seedOfRun(), cluster, numClients: NUM_CLIENTS });
  try {
    await run.start();
    await sleep(WORK_MS);
    await work(run);
    say(run.summary());
    expect(run.verdict.violations.join('\n'), run.summary()).toBe('');
    expect(run.verdict.counted('deliveries')).toBeGreaterThan(NUM_CLIENTS * 20);
  } finally {
    run.close();
  }
}

const routesOfAll = (): Promise<number[]> => Promise.all(cluster.servers.map(numRoutes));

/** A shard's leader, and the channels of the shard. */
async function shardOf(run: ChaosRun): Promise<{ leader: TestNats; channels: string[] }> {
  const subjects = createNatsSubjects({ prefix: cluster.prefix, shards: SHARDS });
  const [first = ''] = run.openChannels;
  const shard = subjects.shardOf(first);
  const channels = run.openChannels.filter((channel) => subjects.shardOf(channel) === shard);
  const leader = await leaderOf(cluster.servers, subjects.logStream(shard));
  if (leader === undefined) throw new Error('the shard has no leader');
  return { leader, channels };
}

/** How long until each channel of a shard has taken a publication again. */
async function resumeMs(run: ChaosRun, channels: readonly string[]): Promise<number> {
  const startedAt = performance.now();
  const before = new Map(channels.map((channel) => [channel, run.logs.get(channel)?.topAcknowledged ?? 0]));
  const hasResumed = (channel: string): boolean =>
    (run.logs.get(channel)?.topAcknowledged ?? 0) > (before.get(channel) ?? 0) + 1;
  while (!channels.every(hasResumed)) {
    const waitedMs = performance.now() - startedAt;
    if (waitedMs > RESUME_DEADLINE_MS) throw new Error(`no writes for ${waitedMs} ms in ${channels.join(' ')}`);
    await sleep(POLL_MS);
  }
  return performance.now() - startedAt;
}

/** Until then reads may be answered by the server that was away, and tell of an earlier state. */
async function untilCaughtUp(): Promise<void> {
  const startedAt = performance.now();
  while (!(await areReplicasCurrent(cluster.servers))) {
    if (performance.now() - startedAt > CATCH_UP_DEADLINE_MS) throw new Error('a replica does not catch up');
    await sleep(POLL_MS);
  }
  say(`the replicas had caught up after another ${Math.round(performance.now() - startedAt)} ms`);
}

test('the leader of a shard dies by kill -9: nothing acknowledged is lost, nothing is doubled, writes resume', () =>
  withRun(async (run) => {
    const { leader, channels } = await shardOf(run);
    run.note('the leader dies');
    await leader.kill9();
    say(`writes of ${channels.length} channels paused for ${Math.round(await resumeMs(run, channels))} ms`);
    await leader.restart();
    await sleep(WORK_MS);
    await run.settle();
  }));

test('a server is parted from the others for 10 s: nothing acknowledged is lost or doubled, and writes resume', () =>
  withRun(async (run) => {
    const { leader, channels } = await shardOf(run);
    const routes = await routesOfAll();
    run.note('the leader is parted');
    run.publisher.readsMayBeStale = true;
    cluster.routes?.part(cluster.servers.indexOf(leader));
    const isAlone = sleep(APART_MS / 2).then(() => numRoutes(leader));
    await sleep(APART_MS);
    expect(await isAlone).toBe(0);
    run.note('the leader is back');
    cluster.routes?.join(cluster.servers.indexOf(leader));
    const startedAt = performance.now();
    await run.until(async () => String(await routesOfAll()) === String(routes), 'all routes are there again');
    await resumeMs(run, channels);
    say(
      `${channels.length} channels took publications ${Math.round(performance.now() - startedAt)} ms after it was back`,
    );
    await untilCaughtUp();
    await sleep(WORK_MS);
    run.publisher.readsMayBeStale = false;
    await run.settle();
  }));

test('a server freezes for 10 s: nothing is lost or doubled, also by what it says when it comes back', () =>
  withRun(async (run) => {
    const { leader, channels } = await shardOf(run);
    run.note('the leader freezes');
    run.publisher.readsMayBeStale = true;
    leader.pause();
    await sleep(APART_MS);
    run.note('the leader goes on');
    leader.resume();
    say(
      `${channels.length} channels took publications ${Math.round(await resumeMs(run, channels))} ms after it went on`,
    );
    await untilCaughtUp();
    await sleep(WORK_MS);
    run.publisher.readsMayBeStale = false;
    await run.settle();
  }));

test('an api instance dies by kill -9: nothing acknowledged is lost, nothing is doubled, writes go on', () =>
  withRun(async (run) => {
    run.note('an api instance dies');
    await Promise.all([
      killAndStart(run.random.pick(cluster.apis), run.random),
      resumeMs(run, run.openChannels).then((ms) => say(`every channel took a publication within ${Math.round(ms)} ms`)),
    ]);
    await sleep(WORK_MS);
    await run.settle();
  }));

test('a gateway dies by kill -9: its clients recover elsewhere without a loss', () =>
  withRun(async (run) => {
    run.note('a gateway dies');
    await killAndStart(run.random.pick(cluster.gateways), run.random);
    await sleep(WORK_MS);
    await run.settle();
    expect(run.verdict.counted('recovered')).toBeGreaterThan(NUM_CLIENTS / 4);
  }));

test('all servers die by kill -9 and come back: history, epochs and subscribers are as before', () =>
  withRun(async (run) => {
    await run.settle();
    const before = await run.tops();
    run.note('all NATS servers die');
    await restartNats(cluster, run.random.between(0, 2_000));
    expect(await run.tops()).toEqual(before);
    run.resume();
    await sleep(WORK_MS);
    await run.settle();
    expect([...(await run.tops())].every(([channel, { epoch }]) => epoch === before.get(channel)?.epoch)).toBe(true);
  }));

import { startNatsCluster, type TestNatsCluster } from '@carillon/dev-tools/test-nats';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bytes, freshChannel, retain } from '../../contract/broker-setup.ts';
import { eventually } from '../../contract/eventually.ts';
import { textAt } from '../../contract/recording-receiver.ts';
import { freshPrefix, nodeRecord, startNode, type TestNode } from './broker-test-cluster.ts';

const retention = retain({ historySize: 2_000 });
const RECOVERY_MS = 40_000;

let cluster: TestNatsCluster;
let nodes: TestNode[];

beforeAll(async () => {
  cluster = await startNatsCluster();
  const common = {
    url: cluster.urls.join(','),
    prefix: freshPrefix(),
    shards: 1,
    replicas: 3,
    publishDeadlineMs: 20_000,
    nodes: () => [nodeRecord('owner')],
  };
  nodes = [
    await startNode({ ...common, nodeId: 'owner' }),
    await startNode({ ...common, nodeId: 'edge', role: 'edge' }),
  ];
});

afterAll(async () => {
  await Promise.all(nodes.map((node) => node.close()));
  await cluster.stop();
});

/** Name of the server that leads the log. */
async function leaderOf({ link }: TestNode): Promise<string> {
  const answer = await link.main.request(`$JS.API.STREAM.INFO.${link.subjects.logStream(0)}`, '', { timeout: 3_000 });
  const info = answer.json<{ cluster?: { leader?: string } }>();
  return info.cluster?.leader ?? '';
}

test('when the leader of the log dies, nothing acknowledged is lost, and receivers get each publication once, in order', async () => {
  const [owner, edge] = nodes;
  if (owner === undefined || edge === undefined) throw new Error('no nodes');
  const channels = Array.from({ length: 5 }, () => freshChannel());
  for (const channel of channels) await edge.broker.join(channel, { retention });
  const acknowledged = new Map(channels.map((channel) => [channel, new Map<number, string>()]));
  const over = new AbortController();
  const publishing = channels.map(async (channel, index) => {
    for (let serial = 0; !over.signal.aborted; serial += 1) {
      const text = `${serial}`;
      const { broker } = (serial + index) % 2 === 0 ? owner : edge;
      const result = await broker.publish({ channel, data: bytes(text), retention }).catch(() => undefined);
      if (result !== undefined) acknowledged.get(channel)?.set(result.position.offset, text);
      await new Promise((resolve) => {
        setTimeout(resolve, 10);
      });
    }
  });
  const countOf = () => Math.min(...channels.map((channel) => acknowledged.get(channel)?.size ?? 0));
  await eventually(() => expect(countOf()).toBeGreaterThan(20), RECOVERY_MS);

  const leader = await leaderOf(owner);
  const dead = cluster.servers[Number(leader.slice(1))];
  if (dead === undefined) throw new Error(`no server ${leader}`);
  await dead.kill9();
  const countAtKill = countOf();
  await eventually(() => expect(countOf()).toBeGreaterThan(countAtKill + 20), RECOVERY_MS);
  await dead.restart();
  over.abort();
  await Promise.all(publishing);

  for (const channel of channels) {
    const page = await eventually(() => edge.broker.history(channel, { retention, limit: -1 }), RECOVERY_MS);
    const stored = page.publications.map(textAt);
    const received = edge.received.log(channel).filter((line) => line !== 'position lost');
    expect(page.publications.map(({ offset }) => offset)).toEqual(stored.map((_, index) => index + 1));
    for (const [offset, text] of acknowledged.get(channel) ?? []) expect(stored[offset - 1]).toBe(`${text}@${offset}`);
    expect(received).toEqual(stored);
    expect(edge.received.log(channel)).not.toContain('position lost');
  }
}, 120_000);

test('what a node has published it reads at once, whichever replica answers', async () => {
  const [, edge] = nodes;
  if (edge === undefined) throw new Error('no node');
  const channel = freshChannel();
  for (let count = 1; count <= 100; count += 1) {
    await edge.broker.publish({ channel, data: bytes(`${count}`), retention });
    const page = await edge.broker.history(channel, { retention, limit: -1 });
    expect(page.top.offset).toBe(count);
    expect(page.publications).toHaveLength(count);
  }
}, 60_000);

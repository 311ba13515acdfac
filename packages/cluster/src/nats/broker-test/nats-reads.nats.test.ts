import { startNats, type TestNats } from '@carillon/dev-tools/test-nats';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { bytes, freshChannel, retain } from '../../contract/broker-setup.ts';
import { textAt } from '../../contract/recording-receiver.ts';
import { ASKING_RECOVERIES, RECOVERY_WINDOW_MS } from '../live/live-receiver.ts';
import { freshPrefix, nodeRecord, startNode, type TestNode } from './broker-test-cluster.ts';

const retention = retain({ historySize: 20 });

let server: TestNats;
let owner: TestNode;
let edge: TestNode;
let channel: string;
/** Bodies of the requests to the log that the test has seen. */
let asked: Asked[] = [];

interface Asked {
  readonly last_by_subj?: string;
  readonly multi_last?: readonly string[];
  readonly batch?: number;
}

beforeAll(async () => {
  server = await startNats();
  const common = { url: server.url, prefix: freshPrefix(), nodes: () => [nodeRecord('owner')] };
  owner = await startNode({ ...common, nodeId: 'owner' });
  edge = await startNode({ ...common, nodeId: 'edge', role: 'edge' });
  const { main, subjects } = owner.link;
  const streams = Array.from({ length: subjects.shards }, (_, shard) => subjects.logStream(shard));
  for (const stream of streams) {
    main.subscribe(`$JS.API.DIRECT.GET.${stream}`, { callback: (_error, message) => void asked.push(message.json()) });
  }
  await main.flush();
});

afterAll(async () => {
  await Promise.all([owner.close(), edge.close()]);
  await server.stop();
});

beforeEach(() => {
  channel = freshChannel();
});

async function publish(...texts: string[]): Promise<void> {
  for (const text of texts) await owner.broker.publish({ channel, data: bytes(text), retention });
}

/** What a node that has not joined the channel reads, and what it asks the log for. */
async function read(limit = -1): Promise<{ texts: string[]; requests: Asked[] }> {
  asked = [];
  const { publications } = await edge.broker.history(channel, { retention, limit });
  await owner.link.main.flush();
  return { texts: publications.map(textAt), requests: asked };
}

test('the first read asks for the newest record and for the oldest ones at once, and for no more', async () => {
  await publish('a', 'b', 'c');
  const { texts, requests } = await read();
  expect(texts).toEqual(['a@1', 'b@2', 'c@3']);
  expect(requests).toHaveLength(2);
  expect(requests.map(({ batch }) => batch)).toContain(retention.historySize + 2);
});

test('the next read asks for the newest record alone, or for what came since', async () => {
  await publish('a', 'b', 'c');
  await read();
  const again = await read();
  expect(again.texts).toEqual(['a@1', 'b@2', 'c@3']);
  expect(again.requests.map((request) => Object.keys(request))).toEqual([['last_by_subj']]);
  await publish('d', 'e');
  const later = await read();
  expect(later.texts).toEqual(['a@1', 'b@2', 'c@3', 'd@4', 'e@5']);
  expect(later.requests.map((request) => request.multi_last?.length)).toEqual([undefined, 2]);
});

test('what was removed is not read from memory', async () => {
  await publish('a', 'b');
  await read();
  await owner.broker.removeHistory(channel, retention);
  expect((await read()).texts).toEqual([]);
  await publish('c');
  expect((await read()).texts).toEqual(['c@3']);
});

test('a guess that misses is made up for', async () => {
  await publish(...Array.from({ length: 15 }, (_, index) => `old${index}`));
  await owner.broker.removeHistory(channel, retention);
  await publish('a', 'b', 'c');
  const { texts, requests } = await read(5);
  expect(texts).toEqual(['a@16', 'b@17', 'c@18']);
  expect(requests).toHaveLength(3);
});

/** Until the recoveries so far count no more. */
const fewAgain = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, RECOVERY_WINDOW_MS + 50));

test('history and a recovery of a joined channel ask the log each time, but not where many recover', async () => {
  await fewAgain();
  await edge.broker.join(channel, { retention });
  await publish('a', 'b');
  const { top } = await edge.broker.history(channel, { retention, limit: 0 });
  const requestsOf = async (isRecovery: boolean): Promise<number> => {
    // What came before has been counted.
    await owner.link.main.flush();
    asked = [];
    const since = { offset: 1, epoch: top.epoch };
    const page = await edge.broker.history(channel, { retention, limit: -1, since, isRecovery });
    await owner.link.main.flush();
    expect(page.publications.map(textAt)).toEqual(['b@2']);
    return asked.length;
  };
  expect(await requestsOf(true)).toBe(1);
  expect(await requestsOf(false)).toBe(1);
  expect(await requestsOf(true)).toBe(1);
  const since = { offset: 1, epoch: top.epoch };
  for (let count = 0; count < ASKING_RECOVERIES; count += 1) {
    await edge.broker.history(channel, { retention, limit: -1, since, isRecovery: true });
  }
  expect(await requestsOf(true)).toBe(0);
  expect(await requestsOf(false)).toBe(1);
});

test('a recovery is told what another node has acknowledged, and not what was removed', async () => {
  for (let run = 0; run < 3; run += 1) {
    await fewAgain();
    channel = freshChannel();
    await edge.broker.join(channel, { retention });
    const { top } = await edge.broker.history(channel, { retention, limit: 0 });
    for (let offset = 1; offset <= ASKING_RECOVERIES / 2; offset += 1) {
      await publish(`p${offset}`);
      const since = { offset: offset - 1, epoch: top.epoch };
      const recover = () => edge.broker.history(channel, { retention, limit: -1, since, isRecovery: true });
      expect((await recover()).publications.map(textAt)).toEqual([`p${offset}@${offset}`]);
      await owner.broker.removeHistory(channel, retention);
      expect(await recover()).toEqual({ publications: [], top: { ...top, offset } });
    }
  }
});

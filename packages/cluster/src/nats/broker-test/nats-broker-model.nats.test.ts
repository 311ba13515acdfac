// The memory broker as the model of the one on NATS: the same calls give the same answers.
import { systemClock } from '@carillon/service-kit';
import { startNats, type TestNats } from '@carillon/dev-tools/test-nats';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BrokerError, type Broker, type HistoryPage, type HistoryRequest, type PublishRequest } from '../../broker.ts';
import { bytes, freshChannel, retain } from '../../contract/broker-setup.ts';
import { eventually } from '../../contract/eventually.ts';
import { RecordingReceiver, textAt } from '../../contract/recording-receiver.ts';
import { MemoryBroker } from '../../memory/memory-broker.ts';
import { freshPrefix, nodeRecord, startNode, type TestNode } from './broker-test-cluster.ts';

type Call =
  | { kind: 'publish'; node: number; isLarge: boolean; text: string; extra: Partial<PublishRequest> }
  | { kind: 'burst'; node: number; isLarge: boolean; texts: string[] }
  | { kind: 'aside'; text: string }
  | { kind: 'remove'; node: number }
  | { kind: 'join' }
  | {
      kind: 'read';
      node: number;
      limit: number;
      reverse: boolean;
      since: number | undefined;
      epoch: 'own' | 'none' | 'other';
    };

const node = fc.nat({ max: 1 });
const isLarge = fc.nat({ max: 4 }).map((die) => die === 0);
const text = fc.string({ maxLength: 4 });
const extra = fc.record(
  {
    version: fc.integer({ min: 1, max: 6 }),
    versionEpoch: fc.constantFrom('', 'x'),
    idempotencyKey: fc.constantFrom('k', 'l', 'm', 'n'),
  },
  { requiredKeys: [] },
);
const call: fc.Arbitrary<Call> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('publish' as const), node, isLarge, text, extra }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('burst' as const),
      node,
      isLarge,
      texts: fc.array(text, { minLength: 2, maxLength: 12 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('aside' as const), text }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), node }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('join' as const) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('read' as const),
      node,
      limit: fc.integer({ min: -1, max: 5 }),
      reverse: fc.boolean(),
      since: fc.option(fc.nat({ max: 40 }), { nil: undefined }),
      epoch: fc.constantFrom('own' as const, 'none' as const, 'other' as const),
    }),
  },
);

const NUM_RUNS = 60;

let server: TestNats;
let nodes: TestNode[];

beforeAll(async () => {
  server = await startNats();
  const common = { url: server.url, prefix: freshPrefix(), nodes: () => [nodeRecord('owner')] };
  nodes = [
    await startNode({ ...common, nodeId: 'owner' }),
    await startNode({ ...common, nodeId: 'edge', role: 'edge' }),
  ];
});

afterAll(async () => {
  await Promise.all(nodes.map((each) => each.close()));
  await server.stop();
});

/** Two sizes a run: of a list that grows twice the log gives up what is in the first of three rings. */
const sizesOfRun = fc.constantFrom({ small: 3, large: 8 }, { small: 1, large: 4 }, { small: 6, large: 7 });
let sizes = { small: 3, large: 8 };
const retention = (isLarge: boolean) => retain({ historySize: isLarge ? sizes.large : sizes.small });

/** What a call answers, without the epoch, which is random. */
async function answerOf(broker: Broker, channel: string, each: Call, epoch: () => Promise<string>): Promise<unknown> {
  switch (each.kind) {
    case 'publish': {
      const request = { channel, data: bytes(each.text), retention: retention(each.isLarge), ...each.extra };
      const { position, suppressed } = await broker.publish(request);
      return [position.offset, suppressed];
    }
    case 'burst': {
      const request = { channel, retention: retention(each.isLarge) };
      const results = await Promise.all(each.texts.map((one) => broker.publish({ ...request, data: bytes(one) })));
      return results.map(({ position }) => position.offset);
    }
    case 'aside':
      return (await broker.publish({ channel, data: bytes(each.text) })).position;
    case 'remove':
      return broker.removeHistory(channel, retain());
    case 'join':
      return broker.join(channel, { retention: retain() });
    case 'read': {
      const own = each.epoch === 'own' ? await epoch() : '';
      const since =
        each.since === undefined ? undefined : { offset: each.since, epoch: each.epoch === 'other' ? 'zz' : own };
      return summarize(() =>
        broker.history(channel, {
          retention: retain(),
          limit: each.limit,
          reverse: each.reverse,
          since,
        } satisfies HistoryRequest),
      );
    }
  }
}

async function summarize(read: () => Promise<HistoryPage>): Promise<unknown> {
  try {
    const { publications, top } = await read();
    return [publications.map(textAt), top.offset];
  } catch (error) {
    if (error instanceof BrokerError) return error.code;
    throw error;
  }
}

test('any sequence of calls has the same answers and the same live publications as on the memory broker', async () => {
  await fc.assert(
    fc.asyncProperty(sizesOfRun, fc.array(call, { minLength: 5, maxLength: 40 }), async (chosen, calls) => {
      sizes = chosen;
      const channel = freshChannel();
      const received = new RecordingReceiver();
      const model = new MemoryBroker({ clock: systemClock, receiver: received });
      const [owner, edge] = nodes;
      if (owner === undefined || edge === undefined) throw new Error('no nodes');
      const epochOf = (broker: Broker) => async (): Promise<string> =>
        (await broker.history(channel, { retention: retain(), limit: 0 })).top.epoch;
      let isJoined = false;
      for (const each of calls) {
        const { broker } = 'node' in each && each.node === 0 ? owner : edge;
        const [expected, actual] = await Promise.all([
          answerOf(model, channel, each, epochOf(model)),
          answerOf(broker, channel, each, epochOf(broker)),
        ]);
        expect(actual).toEqual(expected);
        if (each.kind === 'join') isJoined = true;
        if (isJoined) await eventually(() => expect(edge.received.log(channel)).toEqual(received.log(channel)));
      }
      await edge.broker.part(channel);
      await model.close();
    }),
    { numRuns: NUM_RUNS },
  );
}, 60_000);

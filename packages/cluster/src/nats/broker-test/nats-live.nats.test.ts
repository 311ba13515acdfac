// Live copies that are lost, doubled, late and out of order, while publications and reads go on.
import { startNats, type TestNats } from '@carillon/dev-tools/test-nats';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bytes, freshChannel, retain } from '../../contract/broker-setup.ts';
import { textAt } from '../../contract/recording-receiver.ts';
import { freshPrefix, startNode, type TestNode } from './broker-test-cluster.ts';
import { tamperWith } from './tampered-link.ts';

type Fate = 'now' | 'lost' | 'twice' | number;

const fate: fc.Arbitrary<Fate> = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Fate>('now') },
  { weight: 3, arbitrary: fc.constant<Fate>('lost') },
  { weight: 2, arbitrary: fc.constant<Fate>('twice') },
  // Late by so many milliseconds.
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 15 }) },
);
const NUM_CHANNELS = 3;
const retention = retain({ historySize: 1_000 });

let server: TestNats;
let publisher: TestNode;
let reader: TestNode;
let fates: readonly Fate[] = [];
let numCopies = 0;

beforeAll(async () => {
  server = await startNats();
  const common = { url: server.url, prefix: freshPrefix() };
  publisher = await startNode(common);
  reader = await startNode({
    ...common,
    tamper: (link) =>
      tamperWith(link, {
        deliver: (_, subscribed, handOver) => {
          const isLive = subscribed.startsWith(`${common.prefix}.f.`);
          const its: Fate = isLive ? (fates[numCopies++ % fates.length] ?? 'now') : 'now';
          if (its === 'lost') return;
          if (typeof its === 'number') setTimeout(handOver, its);
          else handOver();
          if (its === 'twice') setTimeout(handOver, 5);
        },
      }),
  });
});

afterAll(async () => {
  await Promise.all([publisher.close(), reader.close()]);
  await server.stop();
});

const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

/** A read accounts only for what the receiver has been given. */
async function readAndCheck(channel: string): Promise<void> {
  const { top } = await reader.broker.history(channel, { retention, limit: 0 });
  expect(reader.received.log(channel).length).toBeGreaterThanOrEqual(top.offset);
}

test('a receiver gets each publication once, in order, whatever becomes of live copies', async () => {
  const bursts = fc.array(fc.record({ size: fc.integer({ min: 1, max: 8 }), pauseMs: fc.nat({ max: 4 }) }), {
    minLength: 3,
    maxLength: 12,
  });
  await fc.assert(
    fc.asyncProperty(fc.array(fate, { minLength: 1, maxLength: 40 }), bursts, async (itsFates, itsBursts) => {
      fates = itsFates;
      const channels = Array.from({ length: NUM_CHANNELS }, () => freshChannel());
      for (const channel of channels) await reader.broker.join(channel, { retention });
      await Promise.all(
        channels.map(async (channel) => {
          for (const [index, { size, pauseMs }] of itsBursts.entries()) {
            const publishing = Array.from({ length: size }, (_, each) =>
              publisher.broker.publish({ channel, data: bytes(`${index}-${each}`), retention }),
            );
            await Promise.all([...publishing, readAndCheck(channel), sleep(pauseMs)]);
          }
          const page = await reader.broker.history(channel, { retention, limit: -1 });
          expect(reader.received.log(channel)).toEqual(page.publications.map(textAt));
          expect(page.publications).toHaveLength(itsBursts.reduce((sum, { size }) => sum + size, 0));
        }),
      );
      // Late copies change nothing.
      const before = channels.map((channel) => reader.received.log(channel));
      await sleep(20);
      expect(channels.map((channel) => reader.received.log(channel))).toEqual(before);
      for (const channel of channels) await reader.broker.part(channel);
    }),
    { numRuns: 40 },
  );
}, 60_000);

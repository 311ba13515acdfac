import { FakeClock } from '@carillon/service-kit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HistoryRequest, Retention } from '../broker.ts';
import { RecordingReceiver } from '../contract/recording-receiver.ts';
import { MemoryBroker } from './memory-broker.ts';

const HISTORY_TTL_MS = 1_000;
const META_TTL_MS = 5_000;
const data = new Uint8Array(1);

/** The rules of channels-and-config §2.2 and §2.4 as plainly as they can be said. */
class Model {
  top = 0;
  lives = 0;
  stored: number[] = [];
  listExpiresAt = 0;
  metaExpiresAt = -1;

  touch(now: number): void {
    if (now >= this.metaExpiresAt) {
      this.top = 0;
      this.stored = [];
      this.lives += 1;
    }
    if (now >= this.listExpiresAt) this.stored = [];
    this.metaExpiresAt = now + META_TTL_MS;
  }

  publish(now: number, size: number): void {
    this.touch(now);
    this.top += 1;
    this.stored = [...this.stored, this.top].slice(-size);
    this.listExpiresAt = now + HISTORY_TTL_MS;
  }

  read({ limit, since, reverse = false, retention }: HistoryRequest): number[] {
    const visible = this.stored.slice(-retention.historySize);
    let matching: number[];
    if (!reverse) matching = visible.filter((offset) => since === undefined || offset > since.offset);
    else if (since !== undefined && since.offset > this.top + 1) matching = [];
    else matching = visible.filter((offset) => since === undefined || offset < since.offset).reverse();
    return limit < 0 ? matching : matching.slice(0, limit);
  }
}

const size = fc.integer({ min: 1, max: 6 });
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('publish' as const), size }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('read' as const),
      size,
      limit: fc.integer({ min: -1, max: 8 }),
      since: fc.option(fc.integer({ min: 1, max: 25 }), { nil: undefined }),
      reverse: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 3_000 }) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'remove' as const }) },
);

describe('memory broker', () => {
  it('does what the rules say, whatever comes in whichever order', async () => {
    const retain = (historySize: number): Retention => ({
      historySize,
      historyTtlMs: HISTORY_TTL_MS,
      historyMetaTtlMs: META_TTL_MS,
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const clock = new FakeClock();
        const received = new RecordingReceiver();
        const broker = new MemoryBroker({ clock, receiver: received });
        const model = new Model();
        const epochs: string[] = [];
        await broker.join('a', {});
        for (const next of steps) {
          const now = clock.monotonic();
          if (next.kind === 'wait') clock.advanceSync(next.ms);
          else if (next.kind === 'remove') {
            await broker.removeHistory('a', retain(1));
            model.stored = [];
          } else if (next.kind === 'publish') {
            model.publish(now, next.size);
            const { position } = await broker.publish({ channel: 'a', data, retention: retain(next.size) });
            expect(position.offset).toBe(model.top);
            epochs[model.lives] ??= position.epoch;
            expect(position.epoch).toBe(epochs[model.lives]);
          } else {
            model.touch(now);
            const since = next.since === undefined ? undefined : { offset: next.since, epoch: '' };
            const request = { retention: retain(next.size), limit: next.limit, since, reverse: next.reverse };
            const { publications, top } = await broker.history('a', request);
            expect(publications.map(({ offset }) => offset)).toEqual(model.read(request));
            expect(top.offset).toBe(model.top);
            epochs[model.lives] ??= top.epoch;
            expect(top.epoch).toBe(epochs[model.lives]);
          }
        }
        const lives = epochs.filter((epoch) => epoch !== undefined);
        expect(new Set(lives).size).toBe(lives.length);
        await broker.close();
      }),
      { numRuns: 60 },
    );
  });
});

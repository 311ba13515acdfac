import { FakeClock } from '@carillon/service-kit';
import { beforeEach, describe, expect, it } from 'vitest';
import { MAX_LOOKS_PER_TICK, WriteWatch, type WatchedWriter } from './write-watch.ts';

class FakeWriter implements WatchedWriter {
  readonly writeTimeoutMs = 1000;
  bufferedBytes = 0;
  timeouts = 0;

  writeTimedOut(): void {
    this.timeouts += 1;
  }
}

describe('watch of writes', () => {
  let clock: FakeClock;
  let watch: WriteWatch;
  let writers: FakeWriter[];

  beforeEach(() => {
    clock = new FakeClock();
    watch = new WriteWatch(clock);
    writers = Array.from({ length: 10 }, () => new FakeWriter());
    for (const writer of writers) watch.add(writer);
  });

  const first = (): FakeWriter => writers[0] ?? new FakeWriter();

  it('gives up a writer whose client takes nothing for its time, once', async () => {
    first().bufferedBytes = 1;
    watch.backedUp(first());
    await clock.advance(750);
    expect(first().timeouts).toBe(0);
    await clock.advance(250);
    await clock.advance(5000);
    expect(writers.map(({ timeouts }) => timeouts)).toEqual([1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  });

  it('gives the full time again to one that takes a part', async () => {
    first().bufferedBytes = 2;
    watch.backedUp(first());
    await clock.advance(900);
    first().bufferedBytes = 1;
    watch.progressed(first());
    watch.backedUp(first());
    await clock.advance(900);
    expect(first().timeouts).toBe(0);
    await clock.advance(350);
    expect(first().timeouts).toBe(1);
  });

  it('forgets one that has taken all', async () => {
    first().bufferedBytes = 1;
    watch.backedUp(first());
    first().bufferedBytes = 0;
    await clock.advance(5000);
    expect(first().timeouts).toBe(0);
  });

  it('looks at so many in a tick and at no more, and at all of them in the end', async () => {
    let looks = 0;
    const ticks = 8;
    for (let count = 10; count < MAX_LOOKS_PER_TICK * ticks; count += 1) {
      watch.add({
        writeTimeoutMs: 1000,
        get bufferedBytes() {
          looks += 1;
          return 0;
        },
        writeTimedOut: () => undefined,
      });
    }
    watch.topicMessage();
    await clock.advance(250);
    expect(looks).toBeLessThanOrEqual(MAX_LOOKS_PER_TICK);
    await clock.advance(250 * ticks);
    expect(looks).toBe(MAX_LOOKS_PER_TICK * ticks - 10);
  });

  it('finds those that topic messages wait for, whoever they are', async () => {
    for (const writer of writers) writer.bufferedBytes = 1;
    await clock.advance(5000);
    expect(first().timeouts).toBe(0);
    watch.topicMessage();
    await clock.advance(2250);
    expect(writers.map(({ timeouts }) => timeouts)).toEqual(writers.map(() => 1));
  });

  it('leaves no timer behind', async () => {
    for (const writer of writers) watch.remove(writer);
    expect(clock.pendingTimers).toBe(0);
    watch.add(first());
    watch.stop();
    expect(clock.pendingTimers).toBe(0);
  });
});

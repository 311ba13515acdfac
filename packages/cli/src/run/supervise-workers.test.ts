import { createSilentLog, FakeClock } from '@carillon/service-kit';
import { describe, expect, it } from 'vitest';
import { MAX_RESTARTS, superviseWorkers, type Supervisor, type WorkerEvents } from './supervise-workers.ts';

interface FakeWorker extends WorkerEvents {
  readonly index: number;
  readonly signals: string[];
}

function setUp(count = 2): {
  supervisor: Supervisor;
  clock: FakeClock;
  spawned: FakeWorker[];
  ready: () => number;
  code: () => number | undefined;
} {
  const clock = new FakeClock();
  const spawned: FakeWorker[] = [];
  let ready = 0;
  let code: number | undefined;
  const supervisor = superviseWorkers({
    count,
    clock,
    log: createSilentLog(),
    stopTimeoutMs: 10_000,
    onReady: () => (ready += 1),
    spawn: (index, events) => {
      const worker = { ...events, index, signals: [] as string[] };
      spawned.push(worker);
      return { signal: (name) => void worker.signals.push(name) };
    },
  });
  void supervisor.exited.then((value) => (code = value));
  return { supervisor, clock, spawned, ready: () => ready, code: () => code };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the supervisor of workers', () => {
  it('is ready once, when every worker is', () => {
    const { spawned, ready } = setUp();
    spawned[0]?.onReady();
    expect(ready()).toBe(0);
    spawned[1]?.onReady();
    spawned[1]?.onReady();
    expect(ready()).toBe(1);
  });

  it('starts a worker that ended again, later each time, and soon again after it was steady', async () => {
    const { spawned, clock } = setUp(1);
    spawned[0]?.onReady();
    for (const waitMs of [100, 200, 400]) {
      const before = spawned.length;
      spawned.at(-1)?.onExit('SIGKILL');
      await clock.advance(waitMs - 1);
      expect(spawned.length).toBe(before);
      await clock.advance(1);
      expect(spawned.length).toBe(before + 1);
    }
    await clock.advance(30_000);
    spawned.at(-1)?.onExit('SIGKILL');
    await clock.advance(100);
    expect(spawned.map(({ index }) => index)).toEqual([1, 1, 1, 1, 1]);
  });

  it('gives up when workers end again and again, and stops the others', async () => {
    const { spawned, clock, code } = setUp();
    for (const worker of spawned) worker.onReady();
    for (let restart = 0; restart <= MAX_RESTARTS; restart += 1) {
      spawned.findLast(({ index }) => index === 2)?.onExit(1);
      if (restart < MAX_RESTARTS) await clock.advance(5_000);
    }
    expect(spawned.length).toBe(2 + MAX_RESTARTS);
    expect(spawned[0]?.signals).toEqual(['SIGTERM']);
    spawned[0]?.onExit(0);
    await settled();
    expect(code()).toBe(1);
  });

  it('gives up at once when a worker can not start', async () => {
    const { spawned, code } = setUp();
    spawned[0]?.onExit(1);
    expect(spawned[1]?.signals).toEqual(['SIGTERM']);
    spawned[1]?.onExit(0);
    await settled();
    expect([code(), spawned.length]).toEqual([1, 2]);
  });

  it('passes each signal on once, and ends when all are gone', async () => {
    const { supervisor, spawned, code } = setUp();
    for (const worker of spawned) worker.onReady();
    supervisor.signal('SIGHUP');
    supervisor.signal('SIGTERM');
    expect(spawned.map(({ signals }) => signals)).toEqual([
      ['SIGHUP', 'SIGTERM'],
      ['SIGHUP', 'SIGTERM'],
    ]);
    spawned[0]?.onExit(0);
    await settled();
    expect(code()).toBeUndefined();
    spawned[1]?.onExit(0);
    await settled();
    expect([code(), spawned.length]).toEqual([0, 2]);
  });

  it('does not start a worker again that waits for its restart when it is told to stop', async () => {
    const { supervisor, spawned, clock, code } = setUp(1);
    spawned[0]?.onReady();
    spawned[0]?.onExit('SIGKILL');
    supervisor.signal('SIGTERM');
    await clock.advance(60_000);
    await settled();
    expect([code(), spawned.length]).toEqual([0, 1]);
  });

  it('kills what does not stop in time', async () => {
    const { supervisor, spawned, clock } = setUp(1);
    spawned[0]?.onReady();
    supervisor.signal('SIGINT');
    await clock.advance(10_000);
    expect(spawned[0]?.signals).toEqual(['SIGINT', 'SIGKILL']);
  });
});

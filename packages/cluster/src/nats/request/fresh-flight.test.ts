import { FakeClock, OperationalError } from '@carillon/service-kit';
import { beforeEach, expect, test } from 'vitest';
import { FreshFlight } from './fresh-flight.ts';

const MAX_WAIT_MS = 5;

let clock: FakeClock;
let flight: FreshFlight<string, string>;
let loads: PromiseWithResolvers<string>[];

beforeEach(() => {
  clock = new FakeClock();
  flight = new FreshFlight({ clock, maxWaitMs: MAX_WAIT_MS, maxWaiting: 3 });
  loads = [];
});

function load(): Promise<string> {
  const deferred = Promise.withResolvers<string>();
  loads.push(deferred);
  return deferred.promise;
}

/** Lets everything run that waits for nothing but promises. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

test('who comes while a read is in flight shares the next one', async () => {
  const first = flight.run('a', load);
  const second = flight.run('a', load);
  const third = flight.run('a', load);
  expect(loads).toHaveLength(1);
  loads[0]?.resolve('old');
  expect(await first).toBe('old');
  await settle();
  expect(loads).toHaveLength(2);
  const fourth = flight.run('a', load);
  loads[1]?.resolve('new');
  expect(await Promise.all([second, third])).toEqual(['new', 'new']);
  await settle();
  expect(loads).toHaveLength(3);
  loads[2]?.resolve('newest');
  expect(await fourth).toBe('newest');
});

test('a failure is told to those who asked for it, and not to the next', async () => {
  const first = flight.run('a', load);
  const second = flight.run('a', load);
  loads[0]?.reject(new Error('gone'));
  await expect(first).rejects.toThrow('gone');
  await settle();
  loads[1]?.resolve('here');
  expect(await second).toBe('here');
});

test('a read that throws holds up nobody', async () => {
  void flight.run('a', load);
  const broken = flight.run('b', () => {
    throw new Error('broken');
  });
  const other = flight.run('c', load);
  loads[0]?.resolve('a');
  await expect(broken).rejects.toThrow('broken');
  loads[1]?.resolve('c');
  expect(await other).toBe('c');
});

test('reads of other keys leave together when the one in flight lands', async () => {
  void flight.run('a', load);
  const others = ['b', 'c', 'b'].map((key) => flight.run(key, load));
  expect(loads).toHaveLength(1);
  loads[0]?.resolve('a');
  await settle();
  expect(loads).toHaveLength(3);
  loads[1]?.resolve('b');
  loads[2]?.resolve('c');
  expect(await Promise.all(others)).toEqual(['b', 'c', 'b']);
});

test('the next reads leave when one of several in flight has landed', async () => {
  void flight.run('a', load);
  const [second] = ['b', 'c'].map((key) => flight.run(key, load));
  loads[0]?.resolve('a');
  await settle();
  const third = flight.run('b', load);
  expect(loads).toHaveLength(3);
  loads[1]?.resolve('b');
  await settle();
  expect(loads).toHaveLength(4);
  loads[3]?.resolve('newer');
  expect([await second, await third]).toEqual(['b', 'newer']);
});

test('nobody waits long for a read that takes its time', async () => {
  const slow = flight.run('a', load);
  const other = flight.run('b', load);
  await clock.advance(MAX_WAIT_MS - 1);
  expect(loads).toHaveLength(1);
  await clock.advance(1);
  expect(loads).toHaveLength(2);
  loads[1]?.resolve('b');
  expect(await other).toBe('b');
  loads[0]?.resolve('a');
  expect(await slow).toBe('a');
});

test('a read that lands late does not send those that wait for another', async () => {
  void flight.run('a', load);
  void flight.run('b', load);
  await clock.advance(MAX_WAIT_MS);
  void flight.run('c', load);
  loads[0]?.resolve('a');
  await settle();
  expect(loads).toHaveLength(2);
  loads[1]?.resolve('b');
  await settle();
  expect(loads).toHaveLength(3);
});

test('a read alone goes at once and sets no timer', async () => {
  for (const key of ['a', 'b']) {
    const answer = flight.run(key, load);
    loads.at(-1)?.resolve(key);
    expect(await answer).toBe(key);
    await settle();
  }
  expect(loads).toHaveLength(2);
  expect(clock.pendingTimers).toBe(0);
});

test('refuses more than may wait', async () => {
  void flight.run('a', load);
  for (const key of ['b', 'c', 'd', 'b']) void flight.run(key, load);
  await expect(flight.run('e', load)).rejects.toThrow(OperationalError);
});

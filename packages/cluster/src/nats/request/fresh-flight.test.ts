import { expect, test } from 'vitest';
import { FreshFlight } from './fresh-flight.ts';

function deferredLoads() {
  const loads: PromiseWithResolvers<string>[] = [];
  const load = (): Promise<string> => {
    const deferred = Promise.withResolvers<string>();
    loads.push(deferred);
    return deferred.promise;
  };
  return { loads, load };
}

test('who comes while a read is in flight shares the next one', async () => {
  const flight = new FreshFlight<string, string>();
  const { loads, load } = deferredLoads();
  const first = flight.run('a', load);
  const second = flight.run('a', load);
  const third = flight.run('a', load);
  expect(loads).toHaveLength(1);
  loads[0]?.resolve('old');
  expect(await first).toBe('old');
  await Promise.resolve();
  expect(loads).toHaveLength(2);
  const fourth = flight.run('a', load);
  loads[1]?.resolve('new');
  expect(await Promise.all([second, third])).toEqual(['new', 'new']);
  await Promise.resolve();
  expect(loads).toHaveLength(3);
  loads[2]?.resolve('newest');
  expect(await fourth).toBe('newest');
});

test('a failure is told to those who asked for it, and not to the next', async () => {
  const flight = new FreshFlight<string, string>();
  const { loads, load } = deferredLoads();
  const first = flight.run('a', load);
  const second = flight.run('a', load);
  loads[0]?.reject(new Error('gone'));
  await expect(first).rejects.toThrow('gone');
  await Promise.resolve();
  loads[1]?.resolve('here');
  expect(await second).toBe('here');
});

test('keys do not wait for each other', async () => {
  const flight = new FreshFlight<string, string>();
  const { loads, load } = deferredLoads();
  void flight.run('a', load);
  const other = flight.run('b', load);
  loads[1]?.resolve('b');
  expect(await other).toBe('b');
});

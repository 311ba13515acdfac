import { createSilentLog, FakeClock } from '@carillon/service-kit';
import { expect, test } from 'vitest';

import { AddressWatch, type LookupAddresses } from './address-watch.ts';

/** A watch on addresses whose names resolve as the test says; `sets` is what was reported. */
function watch(addresses: readonly string[], lookup: LookupAddresses) {
  const clock = new FakeClock();
  const sets: string[][] = [];
  const watched = new AddressWatch({
    addresses,
    defaultPort: 10_100,
    lookup,
    onAddresses: (set) => void sets.push([...set].toSorted()),
    clock,
    log: createSilentLog(),
    random: Math.random,
  });
  watched.start();
  return { watched, clock, sets };
}

const never: LookupAddresses = () => Promise.reject(new Error('ENOTFOUND'));

test('IP literals are known at once and never looked up', async () => {
  const { sets, clock } = watch(['10.0.0.1:1', '[fd00::1]:2', '10.0.0.2'], () => Promise.reject(new Error('asked')));
  expect(sets).toEqual([['10.0.0.1:1', '10.0.0.2:10100', '[fd00::1]:2']]);
  await clock.advance(60_000);
  expect(sets).toHaveLength(1);
});

test('a name stands for all of its addresses, and for others when it changes', async () => {
  let ips = ['10.0.0.1', '10.0.0.2'];
  const { sets, clock } = watch(['auth-policy:7'], async () => ips);
  await clock.advance(0);
  expect(sets).toEqual([['10.0.0.1:7', '10.0.0.2:7']]);
  ips = ['10.0.0.2', '10.0.0.3'];
  await clock.advance(5_000);
  expect(sets.at(-1)).toEqual(['10.0.0.2:7', '10.0.0.3:7']);
  await clock.advance(5_000);
  expect(sets).toHaveLength(2);
});

test('names and literals may be mixed, and an address counts once', async () => {
  const { sets, clock } = watch(['a:1', '10.0.0.1:1', 'b:1'], async (name) => [name === 'a' ? '10.0.0.1' : '10.0.0.9']);
  await clock.advance(0);
  expect(sets).toEqual([['10.0.0.1:1'], ['10.0.0.1:1', '10.0.0.9:1']]);
});

test('an instance with addresses of both families is one instance', async () => {
  const { sets, clock } = watch(['a:1'], async () => ['fd00::1', '10.0.0.1']);
  await clock.advance(0);
  expect(sets).toEqual([['10.0.0.1:1']]);
});

test('a name that cannot be resolved yet is looked up until it can', async () => {
  let isThere = false;
  const { sets, clock } = watch(['a:1'], (name) => (isThere ? Promise.resolve(['10.0.0.1']) : never(name)));
  await clock.advance(2_000);
  expect(sets).toEqual([]);
  isThere = true;
  await clock.advance(500);
  expect(sets).toEqual([['10.0.0.1:1']]);
});

test('an outage of DNS takes no address away, neither by errors nor by silence', async () => {
  let lookup: LookupAddresses = async () => ['10.0.0.1'];
  const { sets, clock } = watch(['a:1'], (name) => lookup(name));
  await clock.advance(0);
  lookup = never;
  await clock.advance(10_000);
  lookup = () => new Promise(() => undefined);
  await clock.advance(10_000);
  expect(sets).toEqual([['10.0.0.1:1']]);
  lookup = async () => ['10.0.0.2'];
  await clock.advance(10_000);
  expect(sets.at(-1)).toEqual(['10.0.0.2:1']);
});

test('a lost connection makes it look sooner, but not more often than twice a second', async () => {
  let count = 0;
  const { watched, clock } = watch(['a:1'], async () => [`10.0.0.${(count += 1)}`]);
  await clock.advance(1_000);
  watched.lookAgain();
  await clock.advance(0);
  expect(count).toBe(2);
  for (let lost = 0; lost < 10; lost++) {
    watched.lookAgain();
    await clock.advance(50);
  }
  expect(count).toBe(3);
});

test('of too many addresses a bounded number is used, and those in use stay', async () => {
  let ips = Array.from({ length: 50 }, (_, index) => `10.0.0.${index}`);
  const { sets, clock } = watch(['a:1'], async () => ips);
  await clock.advance(0);
  ips = [...Array.from({ length: 200 }, (_, index) => `10.0.1.${index}`), ...ips];
  await clock.advance(5_000);
  expect(sets[1]).toHaveLength(64);
  expect(sets[1]).toEqual(expect.arrayContaining(sets[0] ?? []));
});

test('nothing is looked up or reported once it is closed', async () => {
  const answer = Promise.withResolvers<readonly string[]>();
  let count = 0;
  const { watched, sets, clock } = watch(['a:1'], () => {
    count += 1;
    return answer.promise;
  });
  watched.close();
  answer.resolve(['10.0.0.1']);
  await clock.advance(60_000);
  watched.lookAgain();
  await clock.advance(60_000);
  expect(sets).toEqual([]);
  expect(count).toBe(1);
});

import { describe, expect, it, vi } from 'vitest';

import { SingleFlight } from './single-flight.ts';

describe('SingleFlight', () => {
  it('loads once for all who ask while the load is pending, and again afterwards', async () => {
    const flights = new SingleFlight<string, number>();
    const pending = Promise.withResolvers<number>();
    const load = vi.fn(() => pending.promise);
    const both = Promise.all([flights.run('a', load), flights.run('a', load)]);
    expect(load).toHaveBeenCalledOnce();
    expect(flights.size).toBe(1);
    pending.resolve(7);
    expect(await both).toEqual([7, 7]);
    expect(flights.size).toBe(0);
    await flights.run('a', load);
    expect(load).toHaveBeenCalledTimes(2);
  });

  it('does not merge different keys', async () => {
    const flights = new SingleFlight<string, string>();
    const load = (key: string) => () => Promise.resolve(key);
    expect(await Promise.all([flights.run('a', load('a')), flights.run('b', load('b'))])).toEqual(['a', 'b']);
  });

  it('gives a failure to all who wait and does not keep it', async () => {
    const flights = new SingleFlight<string, string>();
    const fail = () => {
      throw new Error('away');
    };
    const outcomes = await Promise.allSettled([flights.run('a', fail), flights.run('a', fail)]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await expect(flights.run('a', () => Promise.resolve('back'))).resolves.toBe('back');
    expect(flights.size).toBe(0);
  });
});

import { FakeClock, createSilentLog } from '@carillon/service-kit';
import { describe, expect, test } from 'vitest';
import { REST_AFTER_MS, RestKeeper } from './rest-keeper.ts';

function setUp(fail: (channel: string) => boolean = () => false) {
  const clock = new FakeClock();
  const marked: string[] = [];
  const rest = async (channel: string): Promise<void> => {
    if (fail(channel)) throw new Error('away');
    marked.push(channel);
  };
  const keeper = new RestKeeper({ clock, log: createSilentLog(), rest });
  return { clock, keeper, marked };
}

describe('the keeper of channels at rest', () => {
  test('marks a channel some time after its last publication, once', async () => {
    const { clock, keeper, marked } = setUp();
    keeper.note('a');
    await clock.advance(REST_AFTER_MS - 10_000);
    keeper.note('a');
    await clock.advance(REST_AFTER_MS - 10_000);
    expect(marked).toEqual([]);
    await clock.advance(15_000);
    expect(marked).toEqual(['a']);
    await clock.advance(5 * REST_AFTER_MS);
    expect(marked).toEqual(['a']);
    expect(keeper.numWaiting).toBe(0);
  });

  test('tries again where it failed', async () => {
    let isAway = true;
    const { clock, keeper, marked } = setUp(() => isAway);
    keeper.note('a');
    await clock.advance(2 * REST_AFTER_MS);
    isAway = false;
    await clock.advance(2 * REST_AFTER_MS);
    expect(marked).toEqual(['a']);
  });

  test('marks the eldest at once when too many wait', async () => {
    const { clock, keeper, marked } = setUp();
    for (let index = 0; index < 100_010; index++) keeper.note(`c${index}`);
    await clock.advance(1_100);
    expect(marked).toEqual(Array.from({ length: 10 }, (_, index) => `c${index}`));
    keeper.close();
    expect(keeper.numWaiting).toBe(0);
  });
});

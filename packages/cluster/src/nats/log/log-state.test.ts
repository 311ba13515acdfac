import { describe, expect, test } from 'vitest';
import type { LogState } from '../record/log-record.ts';
import {
  afterMark,
  afterPublications,
  initialState,
  isMetaExpired,
  isBehind,
  isLater,
  isNewSlot,
  isVersionSuppressed,
  needsRest,
  needsTouch,
  nextSlot,
  recordEnd,
  visibleFloor,
} from './log-state.ts';

const retention = { historySize: 3, historyTtlMs: 60_000, historyMetaTtlMs: 3_600_000 };
const DAY_MS = 86_400_000;
const body = { nonce: { writer: 1, serial: 1 }, data: new Uint8Array(), version: 0, isDelta: false };

function publish(
  before: LogState,
  count: number,
  change: Partial<typeof retention & { nowMs: number }> = {},
): LogState {
  const { nowMs = 1_000, ...other } = change;
  return afterPublications(before, {
    retention: { ...retention, ...other },
    count,
    nowMs,
    version: 0,
    versionEpoch: '',
  });
}

describe('the state of a log', () => {
  const empty = initialState('e', retention);

  test('counts publications and shows as many as the size says', () => {
    const state = publish(publish(empty, 2), 3);
    expect(state).toMatchObject({
      epoch: 'e',
      offset: 5,
      floor: 3,
      index: 2,
      slots: 4,
      ringSince: 1,
      previousSlots: 0,
    });
    expect(nextSlot(state)).toEqual({ slots: 4, index: 3 });
    expect(visibleFloor(state, retention, 1_000)).toBe(3);
  });

  test('shows nothing when the newest publication is older than the history ttl, also after the next one', () => {
    const state = publish(empty, 3, { nowMs: 1_000 });
    expect(visibleFloor(state, retention, 61_000)).toBe(1);
    expect(visibleFloor(state, retention, 61_001)).toBe(4);
    expect(publish(state, 1, { nowMs: 61_001 }).floor).toBe(4);
  });

  test('swaps to a larger ring when the size grows, and reads the old one until it is out of sight', () => {
    const grown = publish(publish(empty, 5), 1, { historySize: 10 });
    // The first record of the new size is where writers that know the old one expect it.
    expect(grown).toMatchObject({ offset: 6, floor: 3, slots: 11, ringIndex: 3, ringSince: 7, previousSlots: 4 });
    const later = publish(grown, 6, { historySize: 10 });
    expect(later).toMatchObject({ offset: 12, floor: 3, previousSlots: 4 });
    expect(publish(later, 4, { historySize: 10 })).toMatchObject({ offset: 16, floor: 7, previousSlots: 0 });
  });

  test('gives up what is in the first of three rings', () => {
    const grown = publish(publish(empty, 3), 1, { historySize: 10 });
    expect(publish(grown, 1, { historySize: 20 })).toMatchObject({
      floor: 5,
      slots: 21,
      ringIndex: 4,
      ringSince: 6,
      previousSlots: 11,
    });
  });

  test('keeps the ring when the size shrinks, and shows less', () => {
    expect(publish(publish(empty, 3), 1, { historySize: 1 })).toMatchObject({ offset: 4, floor: 4, slots: 4 });
  });

  test('hides everything after a removal, and goes on counting', () => {
    const removed = afterMark(publish(empty, 3), retention, 2_000, true);
    expect(removed).toMatchObject({ offset: 3, floor: 4, writtenAt: 2_000, publishedAt: 1_000 });
    expect(publish(removed, 1)).toMatchObject({ offset: 4, floor: 4 });
  });

  test('lives on by a mark without moving', () => {
    const touched = afterMark(publish(empty, 2), retention, 3_000_000, false);
    expect(touched).toMatchObject({ offset: 2, floor: 1, publishedAt: 1_000 });
    expect(isMetaExpired(touched, retention, 6_600_000)).toBe(false);
    expect(isMetaExpired(touched, retention, 6_600_001)).toBe(true);
    expect(needsTouch(touched, retention, 3_450_000)).toBe(false);
    expect(needsTouch(touched, retention, 3_450_001)).toBe(true);
  });

  test('lets records live ten minutes at least, until the whole list must be gone, and never shorter than older ones', () => {
    const brief = publish(empty, 1, { historyTtlMs: 1_000, nowMs: 0 });
    expect(brief.expiresAt).toBe(600_000);
    const list = publish(empty, 1, { historySize: 99, historyTtlMs: 60_000, nowMs: 0 });
    expect(list.expiresAt).toBe(6_000_000);
    expect(publish(empty, 1, { historySize: 99, historyTtlMs: DAY_MS, nowMs: 0 }).expiresAt).toBe(30 * DAY_MS);
    expect(publish(empty, 1, { historySize: 99, historyTtlMs: 20 * DAY_MS, nowMs: 0 }).expiresAt).toBe(40 * DAY_MS);
    expect(publish(list, 1, { historyTtlMs: 1_000, nowMs: 1_000 }).expiresAt).toBe(6_000_000);
  });

  test('lets a mark live as long as epoch and offset, and no shorter than publications', () => {
    const brief = publish(empty, 1, { historyTtlMs: 1_000, nowMs: 0 });
    expect(recordEnd({ state: brief, bodies: [] })).toBe(3_600_000 + 60_000);
    const long = publish(empty, 1, { historyTtlMs: DAY_MS, nowMs: 0 });
    expect(recordEnd({ state: long, bodies: [] })).toBe(long.expiresAt);
    expect(needsRest(brief)).toBe(true);
    expect(needsRest(long)).toBe(false);
  });

  test('goes on with the ring of an epoch that is over', () => {
    const before = publish(publish(empty, 3), 2);
    const after = initialState('f', { ...retention, historySize: 2 }, before);
    expect(after).toMatchObject({ epoch: 'f', offset: 0, floor: 1, index: 2, slots: 4, previousSlots: 0 });
    expect(nextSlot(after)).toEqual(nextSlot(before));
  });

  test('knows the slots that no record has been in', () => {
    let state = empty;
    const news: boolean[] = [];
    for (let count = 0; count < 6; count++) {
      news.push(isNewSlot(state));
      state = publish(state, 1);
    }
    expect(news).toEqual([true, true, true, true, false, false]);
  });

  test('tells what came after the newest record from what an earlier turn of the ring left', () => {
    const states = [1, 1, 1, 1, 1].reduce<LogState[]>((all) => [...all, publish(all.at(-1) ?? empty, 1)], []);
    const [first, , third, fourth, fifth] = states.map((state) => ({ state, bodies: [body] }));
    const next = nextSlot(third?.state ?? empty);
    expect(isLater(undefined, next)).toBe(false);
    expect(isLater(first, { slots: 4, index: 5 })).toBe(false);
    expect(isLater(fourth, next)).toBe(true);
    expect(isLater(fifth, next)).toBe(true);
    expect(isLater({ state: third?.state ?? empty, bodies: [] }, next)).toBe(true);
    expect(isLater({ state: first?.state ?? empty, bodies: [] }, next)).toBe(false);
  });

  test('is behind what was acknowledged only within an epoch', () => {
    const state = publish(empty, 3);
    expect(isBehind(publish(empty, 2), state)).toBe(true);
    expect(isBehind(state, state)).toBe(false);
    expect(isBehind({ ...empty, epoch: 'f' }, state)).toBe(false);
    expect(isBehind(undefined, state)).toBe(false);
  });

  test('suppresses versions that are not above the stored one of their version epoch', () => {
    const state = { ...empty, version: 5, versionEpoch: 'x' };
    expect(isVersionSuppressed(state, 5, 'x')).toBe(true);
    expect(isVersionSuppressed(state, 4, '')).toBe(true);
    expect(isVersionSuppressed(state, 6, 'x')).toBe(false);
    expect(isVersionSuppressed(state, 1, 'y')).toBe(false);
    expect(isVersionSuppressed(state, 0, '')).toBe(false);
  });
});

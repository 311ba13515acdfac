import { describe, expect, test } from 'vitest';

import { createNatsSubjects } from './nats-subjects.ts';

describe('NATS subjects', () => {
  const subjects = createNatsSubjects({ prefix: 'app.one', shards: 1 });

  test('every subject of a channel has one token for it, below the prefix', () => {
    expect(subjects.live('a.b')).toBe('app.one.f.0.a=2eb');
    expect(subjects.logSlot('a', 11, 25)).toBe('app.one.h.0.a.11-3');
    expect(subjects.logMarker('a')).toBe('app.one.h.0.a.x');
    expect(subjects.logAll('a')).toBe('app.one.h.0.a.*');
    expect(subjects.top('a')).toBe('app.one.m.0.a');
    expect(subjects.write('n 1')).toBe('app.one.w.n=201');
  });

  test('stream names hold no dots', () => {
    expect(subjects.logStream(3)).toBe('app_one-log-3');
    expect(subjects.topStream(0)).toBe('app_one-top-0');
  });

  test('the shard of a name never changes', () => {
    const eight = createNatsSubjects({ prefix: 'c' });
    expect(['news', 'chat:1', 'личное#1'].map((channel) => eight.shardOf(channel))).toEqual([5, 6, 1]);
  });

  test('a prefix or number of shards that NATS would not take is refused', () => {
    for (const prefix of ['', 'a..b', 'a b', '*', '.a'])
      expect(() => createNatsSubjects({ prefix })).toThrow(RangeError);
    for (const shards of [0, 1.5, 257]) expect(() => createNatsSubjects({ prefix: 'a', shards })).toThrow(RangeError);
  });
});

import { describe, expect, test } from 'vitest';

import { createNatsSubjects } from './nats-subjects.ts';

describe('NATS subjects', () => {
  const subjects = createNatsSubjects({ prefix: 'app.one', shards: 1 });

  test('every subject of a channel has one token for it, below the prefix', () => {
    expect(subjects.live('a.b')).toBe('app.one.f.0.a=2eb');
    expect(subjects.logSlot('a', { slots: 11, index: 25 })).toBe('app.one.h.0.a.11-3');
    expect(subjects.logOf('a').slot({ slots: 11, index: 25 })).toBe('app.one.h.0.a.11-3');
    expect(subjects.logAll('a')).toBe('app.one.h.0.a.*');
    expect(subjects.write('n 1')).toBe('app.one.w.n=201');
  });

  test('stream names hold no dots', () => {
    expect(subjects.logStream(3)).toBe('app_one-log-3');
  });

  test('the subject of a log record tells its channel', () => {
    for (const channel of ['a', 'a.b c*', '']) {
      expect(subjects.channelOfLog(subjects.logSlot(channel, { slots: 3, index: 4 }))).toBe(channel);
    }
    for (const subject of ['app.one.f.0.a', 'app.one.h.0.a', 'other.h.0.a.3-1', '']) {
      expect(subjects.channelOfLog(subject)).toBeUndefined();
    }
  });

  test('very long names fit into a control line of NATS, each in its own way', () => {
    const names = ['x', 'y', '☃', '*'].map((unit) => unit.repeat(6_000));
    for (const name of names) {
      const subject = subjects.logSlot(name, { slots: 11, index: 3 });
      expect(subject).toMatch(/^app\.one\.h\.0\.==[A-Za-z0-9_-]{43}\.11-3$/);
      expect(subjects.channelOfLog(subject)).toBeUndefined();
      expect(subjects.idempotency(name, name).length).toBeLessThan(200);
    }
    expect(new Set(names.map((name) => subjects.live(name))).size).toBe(names.length);
    expect(subjects.live('*'.repeat(255))).toBe(`app.one.f.0.${'=2a'.repeat(255)}`);
  });

  test('the shard of a name never changes', () => {
    const eight = createNatsSubjects({ prefix: 'c', shards: 8 });
    expect(['news', 'chat:1', 'личное#1'].map((channel) => eight.shardOf(channel))).toEqual([5, 6, 1]);
  });

  test('a prefix or number of shards that NATS would not take is refused', () => {
    for (const prefix of ['', 'a..b', 'a b', '*', '.a'])
      expect(() => createNatsSubjects({ prefix })).toThrow(RangeError);
    for (const shards of [0, 1.5, 257]) expect(() => createNatsSubjects({ prefix: 'a', shards })).toThrow(RangeError);
  });
});

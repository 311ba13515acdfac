import { describe, expect, it } from 'vitest';
import { TaskLimit } from './task-limit.ts';

describe('task limit', () => {
  it('runs as many as it may at a time, the others in the order they came, and refuses what has no room', async () => {
    const limit = new TaskLimit(2, 2);
    const started: number[] = [];
    const gates = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
    const taken = gates.map(({ promise }, index) =>
      limit.run(() => {
        started.push(index);
        return promise;
      }),
    );
    expect(taken).toEqual([true, true, true, true, false]);
    expect(started).toEqual([0, 1]);
    gates[1]?.resolve();
    await new Promise(setImmediate);
    expect(started).toEqual([0, 1, 2]);
    for (const gate of gates) gate.resolve();
    await new Promise(setImmediate);
    expect(started).toEqual([0, 1, 2, 3]);
    expect(limit.run(() => Promise.resolve())).toBe(true);
  });
});

import { NO_RECEIVER, type ControlHandler } from '@carillon/cluster';
import { describe, expect, it } from 'vitest';
import { createLateParts } from './late-parts.ts';

describe('the parts of an engine before there are any', () => {
  it('say that nobody is here, and pass everything on from then on', async () => {
    const late = createLateParts();
    expect(await late.handler.apply({ kind: 'rules_changed' })).toBe(0);
    expect(await late.handler.answer({ kind: 'channels', pattern: '' })).toEqual({
      kind: 'channels',
      channels: new Map(),
    });
    const handler: ControlHandler = {
      apply: async () => 7,
      answer: async () => ({ kind: 'users', users: new Map([['u', 1]]) }),
      emulate: async () => undefined,
    };
    late.bind({ receiver: NO_RECEIVER, handler });
    expect(await late.handler.apply({ kind: 'rules_changed' })).toBe(7);
    expect(await late.handler.answer({ kind: 'users', users: ['u'] })).toMatchObject({ kind: 'users' });
  });
});

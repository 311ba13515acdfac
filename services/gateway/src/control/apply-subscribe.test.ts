import { memoryEngine } from '@carillon/cluster/memory';
import { FakeClock } from '@carillon/service-kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startSessions, type RunningSessions } from '../fixture/start-sessions.ts';

const NOW_MS = 1_800_000_000_000;
const PAST_S = NOW_MS / 1_000 - 1;
const DEADLINE_MS = 1_000;

describe('subscribing a connection for the server API', () => {
  let node: RunningSessions;
  beforeEach(async () => {
    const clock = new FakeClock(NOW_MS);
    const identity = { name: 'n', role: 'standalone', version: '1' } as const;
    node = await startSessions(memoryEngine({ clock, node: identity }), clock, { client: { channel_limit: 1 } });
  });
  afterEach(() => node.close());

  const subscribe = async (channel: string, expireAt = 0): Promise<readonly string[]> => {
    const select = { user: 'u', client: undefined, session: undefined };
    const more = { expireAt, info: undefined, data: undefined, recoverSince: undefined, override: undefined };
    const outcome = await node.engine.control.command({ kind: 'subscribe', select, channel, ...more }, DEADLINE_MS);
    return outcome.missing;
  };

  it('fails where the subscription has expired already, and leaves the connection alone', async () => {
    const client = node.open();
    await client.connect({ user: 'u' });
    await expect(subscribe('a', PAST_S)).rejects.toMatchObject({ code: 'subscription_expired' });
    expect(client.closed).toBeUndefined();
  });

  it.each([
    ['another channel', 'b', 0],
    ['one that has expired already', 'b', PAST_S],
    ['the one it has', 'a', 0],
  ])('ends with 3505 a connection at its limit of channels, for %s', async (_title, channel, expireAt) => {
    const client = node.open();
    await client.connect({ user: 'u' });
    expect(await subscribe('a')).toEqual([]);
    expect(await subscribe(channel, expireAt)).toEqual([]);
    expect(client.closed).toEqual({ code: 3505, reason: 'channel limit' });
  });
});

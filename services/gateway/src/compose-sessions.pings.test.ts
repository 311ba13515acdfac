import { memoryEngine } from '@carillon/cluster/memory';
import { FakeClock } from '@carillon/service-kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startSessions, type RunningSessions } from './fixture/start-sessions.ts';

describe('pings of the application', () => {
  let clock: FakeClock;
  let node: RunningSessions;

  beforeEach(async () => {
    clock = new FakeClock(1_800_000_000_000);
    const identity = { name: 'n', role: 'standalone', version: '1' } as const;
    const file = { client: { ping_interval: '5s', pong_timeout: '3s' } };
    node = await startSessions(memoryEngine({ clock, node: identity }), clock, file);
  });
  afterEach(() => node.close());

  it('come as often as is configured', async () => {
    const client = node.open({ applicationPing: true });
    expect(await client.connect({ user: 'u' })).toMatchObject({ connect: { ping: 5, pong: true } });
    await clock.advance(5100);
    expect(client.received).toHaveLength(2);
  });

  it('come as often as the transport says where it has a rhythm of its own', async () => {
    const client = node.open({ applicationPing: true, pingIntervalMs: 25_000 });
    expect(await client.connect({ user: 'u' })).toMatchObject({ connect: { ping: 25, pong: true } });
    await clock.advance(12_400);
    expect(client.received).toHaveLength(1);
    await clock.advance(12_700);
    expect(client.received).toHaveLength(2);
  });
});

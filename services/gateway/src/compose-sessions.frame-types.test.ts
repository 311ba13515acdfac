import { memoryEngine } from '@carillon/cluster/memory';
import { FakeClock } from '@carillon/service-kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startSessions, type RunningSessions } from './fixture/start-sessions.ts';

describe('types of messages in metrics', () => {
  let clock: FakeClock;
  let node: RunningSessions;

  beforeEach(async () => {
    clock = new FakeClock(1_800_000_000_000);
    const identity = { name: 'n', role: 'standalone', version: '1' } as const;
    node = await startSessions(memoryEngine({ clock, node: identity }), clock, {
      client: { ping_interval: '5s', pong_timeout: '3s' },
      channel: {
        without_namespace: {
          allow_subscribe_for_client: true,
          allow_publish_for_client: true,
          allow_presence_for_client: true,
          allow_history_for_client: true,
          presence: true,
          history_size: 1,
          history_ttl: '60s',
        },
      },
    });
  });
  afterEach(() => node.close());

  it('are those of commands, of their answers, also of errors, and of pushes', async () => {
    const client = node.open({ applicationPing: true });
    await client.connect({ user: 'u', expireAt: 0 });
    await client.subscribe('a');
    await client.command({ presence: { channel: 'a' } });
    await client.command({ presence_stats: { channel: 'a' } });
    await client.command({ history: { channel: 'a' } });
    await client.command({ rpc: { method: 'x' } });
    await client.command({ presence: { channel: 'no:such' } });
    await client.command({ unsubscribe: { channel: 'a' } });
    await client.command({ publish: { channel: 'b', data: 1 } });
    await clock.advance(5100);
    expect(client.frameTypes).toEqual([
      'connect',
      'subscribe',
      'presence',
      'presence_stats',
      'history',
      'rpc',
      'presence',
      'unsubscribe',
      'publish',
      'server_ping',
    ]);
    expect(node.counted.map(([transport, frameType]) => `${transport} ${frameType}`)).toEqual(
      client.frameTypes.slice(0, -1).map((frameType) => `websocket ${frameType}`),
    );
  });

  it('name methods of commands, and errors that are found at once take time too', async () => {
    const client = node.open();
    await client.connect({ user: 'u' });
    await client.command({ presence_stats: { channel: 'no:such' } });
    await client.command({ sub_refresh: { channel: '', token: 't' } });
    const { body } = await node.metrics.render();
    expect(body).toContain('carillon_client_num_reply_errors{method="presence_stats",code="102"} 1');
    expect(body).toContain('carillon_client_command_duration_seconds_count{method="presence_stats"} 1');
    expect(body).toContain('carillon_client_command_duration_seconds_count{method="sub_refresh"} 1');
  });

  it('tell a pong from what comes before and behind it in its frame', async () => {
    const client = node.open({ applicationPing: true });
    await client.connect({ user: 'u' });
    await clock.advance(5100);
    node.counted.length = 0;
    client.receive('{}\n{"id":8,"rpc":{"method":"x"}}');
    expect(node.counted).toEqual([
      ['websocket', 'client_pong', 32],
      ['websocket', 'rpc', 0],
    ]);
  });
});

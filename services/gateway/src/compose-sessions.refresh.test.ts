import { memoryEngine } from '@carillon/cluster/memory';
import { FakeClock } from '@carillon/service-kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startSessions, type RunningSessions } from './fixture/start-sessions.ts';

describe('a refreshed connection', () => {
  let node: RunningSessions;
  let metas: unknown[];

  beforeEach(async () => {
    const clock = new FakeClock(1_800_000_000_000);
    const identity = { name: 'n', role: 'standalone', version: '1' } as const;
    metas = [];
    node = await startSessions(
      memoryEngine({ clock, node: identity }),
      clock,
      { rpc: { proxy: { endpoint: 'http://127.0.0.1:1' }, without_namespace: { proxy_enabled: true } } },
      {
        async rpc({ message }) {
          metas.push(message.meta);
          return { kind: 'result', result: {} };
        },
      },
    );
  });

  afterEach(() => node.close());

  it('keeps its meta when the new token has none, and takes that of a token that has', async () => {
    const client = node.open();
    await client.connect({ user: 'u', meta: 'first' });
    for (const claims of [{}, { meta: 'second' }]) {
      const token = JSON.stringify({ user: 'u', ...claims });
      expect(await client.command({ refresh: { token } })).toMatchObject({ refresh: {} });
      await client.command({ rpc: { method: 'm' } });
    }
    expect(metas).toEqual(['first', 'second']);
  });
});

import { memoryEngine } from '@carillon/cluster/memory';
import type { AskOrigin } from '@carillon/policy';
import { FakeClock } from '@carillon/service-kit';
import { expect, test } from 'vitest';

import { startSessions } from '../fixture/start-sessions.ts';

test('of the headers of a connect frame only what some proxy lists is kept, in any case, and goes with later questions', async () => {
  const clock = new FakeClock(1.8e12);
  const identity = { name: 'n', role: 'standalone', version: '1' } as const;
  const origins: AskOrigin[] = [];
  const node = await startSessions(
    memoryEngine({ clock, node: identity }),
    clock,
    {
      proxies: [{ name: 'own', endpoint: 'http://127.0.0.1:1', emulated_headers: ['X-Team'] }],
      rpc: { without_namespace: { proxy_enabled: true, proxy_name: 'own' } },
    },
    {
      async rpc({ origin }) {
        origins.push(origin);
        return { kind: 'result', result: {} };
      },
    },
  );
  const client = node.open();
  const token = JSON.stringify({ user: 'u' });
  await client.command({ connect: { token, headers: { 'x-TEAM': 'a', 'x-other': 'b' } } });
  await client.command({ rpc: { method: 'm', data: {} } });
  expect(origins.map(({ emulatedHeaders }) => emulatedHeaders)).toEqual([{ 'x-TEAM': 'a' }]);
  await node.close();
});

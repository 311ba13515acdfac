import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Deployment } from '../harness/deployment.ts';
import { DEPLOYMENTS } from '../harness/deployments.ts';
import { eventually } from '../harness/eventually.ts';
import { ENCODINGS, openOfficialClient, type OfficialClient, type Recording } from '../harness/official-client.ts';

const config = {
  channel: {
    namespaces: [
      {
        name: 'room',
        presence: true,
        join_leave: true,
        force_push_join_leave: true,
        allow_subscribe_for_client: true,
        allow_presence_for_subscriber: true,
      },
    ],
  },
};

describe.each(DEPLOYMENTS)('$kind', ({ start }) => {
  let server: Deployment;
  const clients: OfficialClient[] = [];

  beforeAll(async () => {
    server = await start({ config });
  });
  afterAll(async () => {
    for (const client of clients) client.close();
    await server.stop();
  });

  it('everybody sees everybody come, be there and go', async () => {
    const channel = 'room:1';
    const ids: string[] = [];
    const recordings: Recording[] = [];
    for (const [n, encoding] of [...ENCODINGS, ...ENCODINGS].entries()) {
      const claims = { info: { n } };
      const client = openOfficialClient({
        url: server.wsUrl(n >> 1),
        encoding,
        token: server.token(`u${n % 3}`, claims),
      });
      clients.push(client);
      client.client.once('connected', ({ client: id }) => ids.push(id));
      await client.connect();
      recordings.push(await client.subscribe(channel));
    }
    await eventually(() => {
      for (const [n, { joins }] of recordings.entries()) expect(joins).toEqual(ids.slice(n));
    });
    for (const [n, { subscription }] of recordings.entries()) {
      const { clients: present } = await subscription.presence();
      expect(Object.keys(present).sort(), `presence for client ${n}`).toEqual([...ids].sort());
      expect(await subscription.presenceStats()).toMatchObject({ numClients: 4, numUsers: 3 });
    }
    const { body } = await server.api('presence', { channel });
    expect(body.result?.['presence']).toMatchObject({ [ids[3] ?? '']: { user: 'u0', conn_info: { n: 3 } } });

    clients[3]?.close();
    recordings[2]?.subscription.unsubscribe();
    await eventually(async () => {
      for (const { leaves } of recordings.slice(0, 2)) expect([...leaves].sort()).toEqual(ids.slice(2).sort());
      expect((await server.api('presence_stats', { channel }, 1)).body.result).toEqual({
        num_clients: 2,
        num_users: 2,
      });
    });
  });
});

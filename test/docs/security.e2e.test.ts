import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startCluster } from '../harness/cluster.ts';
import type { Deployment } from '../harness/deployment.ts';
import { eventually } from '../harness/eventually.ts';
import { openOfficialClient, type OfficialClient } from '../harness/official-client.ts';
import { readPage } from './pages.ts';
import { sectionsOf } from './snippets.ts';

const START_DEADLINE_MS = 120_000;
const PASSWORD = 'carillon-of-a-test';
const printed = sectionsOf(readPage('docs/security.md'))
  .flatMap(({ snippets }) => snippets)
  .find(({ language }) => language === 'conf');

const config = {
  log: { level: 'info' },
  channel: {
    namespaces: [
      {
        name: 'chat',
        history_size: 10,
        history_ttl: '1m',
        force_recovery: true,
        presence: true,
        allow_subscribe_for_client: true,
        allow_publish_for_client: true,
      },
      { name: 'live' },
    ],
  },
};

describe('the user of NATS in docs/security.md', () => {
  let cluster: Deployment;
  const clients: OfficialClient[] = [];

  beforeAll(async () => {
    cluster = await startCluster({
      prefix: 'carillon',
      config,
      env: { CARILLON_NATS_USER: 'carillon', CARILLON_NATS_PASSWORD: PASSWORD },
      natsOptions: {
        exclusive: true,
        extraConfig: (printed?.text ?? '').replace('$CARILLON_NATS_PASSWORD', `"${PASSWORD}"`),
      },
    });
  }, START_DEADLINE_MS);
  afterAll(async () => {
    for (const client of clients) client.close();
    await cluster.stop();
  }, START_DEADLINE_MS);

  const resultOf = async (method: string, body: unknown): Promise<unknown> => {
    const answer = await cluster.api(method, body);
    expect(answer.body.error).toBeUndefined();
    return answer.body.result;
  };

  it('may do all that gateways and apis do', async () => {
    for (const gateway of [0, 1]) {
      const client = openOfficialClient({ url: cluster.wsUrl(gateway), token: cluster.token(`user-${gateway}`) });
      clients.push(client);
      await client.connect();
    }
    const recordings = await Promise.all(clients.map((client) => client.subscribe('chat:room')));
    await resultOf('publish', { channel: 'chat:room', data: 1, idempotency_key: 'a' });
    await resultOf('publish', { channel: 'live:room', data: 1, idempotency_key: 'a' });
    await clients[1]?.client.publish('chat:room', 2);
    await eventually(() =>
      expect(recordings.map(({ offsets }) => offsets)).toEqual([
        [1, 2],
        [1, 2],
      ]),
    );
    expect(await resultOf('history', { channel: 'chat:room', limit: -1 })).toMatchObject({ offset: 2 });
    await eventually(async () =>
      expect(await resultOf('presence_stats', { channel: 'chat:room' })).toEqual({ num_clients: 2, num_users: 2 }),
    );
    await resultOf('update_user_status', { users: ['user-0'] });
    expect(await resultOf('get_user_status', { users: ['user-0'] })).toMatchObject({ statuses: [{ user: 'user-0' }] });
    await resultOf('channels', {});
    await resultOf('history_remove', { channel: 'chat:room' });
    await resultOf('block_user', { user: 'user-0' });
    await eventually(() => expect(clients[0]?.events).toContain('disconnected 3503'));
  });

  it('may purge the presence of a gateway that was killed', async () => {
    await cluster.killGateway(1);
    const outputs = (): string => [...cluster.gateways, ...cluster.apis].map((server) => server.output()).join('\n');
    await eventually(() => expect(outputs()).toContain('purged the presence of a dead node'), 40_000);
    expect(outputs()).not.toMatch(/permissions violation|could not/i);
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Deployment } from '../harness/deployment.ts';
import { DEPLOYMENTS } from '../harness/deployments.ts';
import { eventually } from '../harness/eventually.ts';
import { openOfficialClient, type OfficialClient } from '../harness/official-client.ts';
import { secondsFromNow } from '../harness/token.ts';

const config = { channel: { without_namespace: { allow_subscribe_for_client: true } } };
/** Codes of server-api §8. */
const SOURCE = { subscriptionToken: 3, clientAllowed: 6, serverApi: 10 };

describe.each(DEPLOYMENTS)('$kind', ({ start }) => {
  let server: Deployment;
  const clients: OfficialClient[] = [];
  const issuedAt = secondsFromNow(-60);

  beforeAll(async () => {
    server = await start({ config });
    for (const gateway of [0, 1]) {
      const claims = { jti: `token-${gateway}`, iat: issuedAt, meta: { gateway } };
      const client = openOfficialClient({ url: server.wsUrl(gateway), token: server.token('u', claims), name: 'shop' });
      clients.push(client);
      await client.connect();
    }
  });
  afterAll(async () => {
    for (const client of clients) client.close();
    await server.stop();
  });

  it('every connection of a user, on any node, with the source of its subscriptions and its tokens', async () => {
    await clients[0]?.subscribe('news');
    const token = server.subToken('u', 'private', { jti: 'sub', iat: issuedAt });
    await clients[1]?.subscribe('private', { token });
    await server.api('subscribe', { user: 'u', channel: 'forced' });
    for (const api of [0, 1]) {
      const connections = await eventually(async () => {
        const { body } = await server.api('connections', { user: 'u' }, api);
        const found = Object.values((body.result?.['connections'] ?? {}) as Record<string, Connection>);
        expect(found.filter(({ state }) => state.channels['forced'] !== undefined)).toHaveLength(2);
        return found;
      });
      const of = (gateway: number): Connection | undefined =>
        connections.find(({ state }) => state.connection_token.uid === `token-${gateway}`);
      const common = {
        app_name: 'shop',
        transport: 'websocket',
        protocol: 'json',
        user: 'u',
        connected_at_ms: expect.any(Number),
        ping_pong_latency_ms: expect.any(Number),
      };
      const forced = { source: SOURCE.serverApi };
      expect(of(0)).toMatchObject({
        ...common,
        state: {
          channels: { news: { source: SOURCE.clientAllowed }, forced },
          connection_token: { uid: 'token-0', issued_at: issuedAt },
          meta: { gateway: 0 },
        },
      });
      expect(of(1)).toMatchObject({
        ...common,
        state: {
          channels: { private: { source: SOURCE.subscriptionToken }, forced },
          subscription_tokens: { private: { uid: 'sub', issued_at: issuedAt } },
        },
      });
    }
    expect((await server.api('connections', { user: 'nobody' })).body).toEqual({ result: { connections: {} } });
  });

  it('the status of users, kept by any api and read by any other', async () => {
    const before = secondsFromNow(0);
    await server.api('update_user_status', { users: ['u', 'away'], state: 'busy' }, 0);
    const { body } = await server.api('get_user_status', { users: ['nobody', 'away', 'u'] }, 1);
    const [nobody, away, user] = (body.result?.['statuses'] ?? []) as Status[];
    expect(nobody).toEqual({ user: 'nobody' });
    expect(away).toEqual({ user: 'away', state: 'busy', active: expect.any(Number) });
    expect(away?.active).toBeGreaterThanOrEqual(before);
    expect(user).toMatchObject({ user: 'u', state: 'busy' });
    expect(user?.online).toBeGreaterThanOrEqual(before);
    await server.api('delete_user_status', { users: ['away'] }, 1);
    const gone = await server.api('get_user_status', { users: ['away'] }, 0);
    expect(gone.body.result).toEqual({ statuses: [{ user: 'away' }] });
  });
});

interface Connection {
  readonly state: {
    readonly channels: Record<string, { readonly source: number }>;
    readonly connection_token: { readonly uid: string };
  };
}

interface Status {
  readonly user: string;
  readonly active?: number;
  readonly online?: number;
}

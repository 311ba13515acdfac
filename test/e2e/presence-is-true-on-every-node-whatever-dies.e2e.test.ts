import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startCluster } from '../harness/cluster.ts';
import type { Deployment } from '../harness/deployment.ts';
import { eventually, within } from '../harness/eventually.ts';
import { openOfficialClient, type OfficialClient } from '../harness/official-client.ts';
import { openRawWebsocket, type RawWebsocket } from '../load/measure/raw-websocket.ts';

/** More than one read of NATS can answer (1,024), twice over. */
const MANY = 2_500;
/** A node that is not heard of for 7 s does not count (docs/guarantees), and some time to notice. */
const NODE_TTL_MS = 10_000;
const common = { allow_subscribe_for_client: true, allow_presence_for_subscriber: true };
const config = {
  client: { ping_interval: '1h' },
  channel: {
    without_namespace: common,
    namespaces: [{ ...common, name: 'room', presence: true }],
  },
};

describe('presence on a cluster', () => {
  let server: Deployment;
  const clients: OfficialClient[] = [];
  const sockets: RawWebsocket[] = [];

  beforeAll(async () => {
    server = await startCluster({ config, gateways: 3, apis: 2, authPolicies: 0 });
  });
  afterAll(async () => {
    for (const client of clients) client.close();
    for (const socket of sockets) socket.close();
    await server.stop();
  });

  const connect = async (user: string, gateway: number): Promise<OfficialClient> => {
    const client = openOfficialClient({ url: server.wsUrl(gateway), token: server.token(user) });
    clients.push(client);
    await client.connect();
    return client;
  };
  const presence = async (channel: string, api?: number): Promise<Record<string, Member>> =>
    ((await server.api('presence', { channel }, api)).body.result?.['presence'] ?? {}) as Record<string, Member>;
  const stats = async (channel: string, api?: number): Promise<unknown> =>
    (await server.api('presence_stats', { channel }, api)).body.result;

  it('shows each connection of a user with several, from any node', async () => {
    const channel = 'room:several';
    const subscriptions = [];
    for (const [index, user] of ['a', 'a', 'a', 'b'].entries()) {
      subscriptions.push((await (await connect(user, index % 3)).subscribe(channel)).subscription);
    }
    for (const api of [0, 1]) {
      const users = Object.values(await presence(channel, api)).map(({ user }) => user);
      expect(users.sort()).toEqual(['a', 'a', 'a', 'b']);
      expect(await stats(channel, api)).toEqual({ num_clients: 4, num_users: 2 });
    }
    for (const subscription of subscriptions) {
      expect(Object.keys((await subscription.presence()).clients)).toHaveLength(4);
      expect(await subscription.presenceStats()).toMatchObject({ numClients: 4, numUsers: 2 });
    }
    subscriptions[0]?.unsubscribe();
    await eventually(async () => expect(await stats(channel)).toEqual({ num_clients: 3, num_users: 2 }));
  });

  it('follows the overrides of tokens and of the server API', async () => {
    const hidden = 'room:hidden';
    const client = await connect('hidden', 0);
    const override = { presence: { value: false } };
    await client.subscribe(hidden, { token: server.subToken('hidden', hidden, { override }) });
    await (
      await connect('seen', 1)
    ).subscribe(hidden, {
      token: server.subToken('seen', hidden, { info: { role: 'speaker' } }),
    });
    expect(Object.values(await presence(hidden))).toMatchObject([{ user: 'seen', chan_info: { role: 'speaker' } }]);
    expect((await server.api('presence', { channel: 'plain' })).body.error?.code).toBe(108);

    await connect('forced', 2);
    const channel = 'room:forced';
    await server.api('subscribe', { channel, user: 'forced', override });
    await server.api('subscribe', { channel, user: 'seen', info: { by: 'server' } });
    await eventually(async () => {
      expect(Object.values(await presence(channel))).toMatchObject([{ user: 'seen', chan_info: { by: 'server' } }]);
    });
  });

  it('gives all members of a large channel, once each, to api and clients', async () => {
    const channel = 'room:large';
    let count = 0;
    const opened = await within(
      openMany(channel, () => (count += 1)),
      60_000,
      'members',
    );
    sockets.push(...opened);
    await eventually(() => expect(count).toBe(MANY), 60_000);
    for (const api of [0, 1]) {
      expect(Object.keys(await presence(channel, api))).toHaveLength(MANY);
      expect(await stats(channel, api)).toEqual({ num_clients: MANY, num_users: 1 });
    }
    const { subscription } = await (await connect('watcher', 1)).subscribe(channel);
    expect(Object.keys((await subscription.presence()).clients)).toHaveLength(MANY + 1);
    expect(await subscription.presenceStats()).toMatchObject({ numClients: MANY + 1, numUsers: 2 });
    for (const socket of sockets) socket.close();
    await eventually(async () => expect(await stats(channel)).toEqual({ num_clients: 1, num_users: 1 }), 60_000);
  }, 180_000);

  it('forgets the clients of a killed gateway within the node TTL', async () => {
    const channel = 'room:killed';
    const stays = await connect('stays', 0);
    await stays.subscribe(channel);
    const goes = await connect('goes', 2);
    await goes.subscribe(channel);
    expect(await stats(channel)).toEqual({ num_clients: 2, num_users: 2 });
    await server.killGateway(2);
    goes.close();
    await eventually(async () => {
      for (const api of [0, 1]) expect(await stats(channel, api)).toEqual({ num_clients: 1, num_users: 1 });
    }, NODE_TTL_MS);
    expect(Object.values(await presence(channel)).map(({ user }) => user)).toEqual(['stays']);
  });

  function openMany(channel: string, onEntered: () => void): Promise<RawWebsocket[]> {
    const token = server.token('crowd');
    const open = (index: number): Promise<RawWebsocket> =>
      new Promise((resolve) => {
        openRawWebsocket({
          port: server.gateways[index % 2]?.port ?? 0,
          path: '/connection/websocket',
          onOpen: (socket) => socket.send(JSON.stringify({ id: 1, connect: { token } })),
          onMessage: (text, socket) => {
            if (text.includes('"connect":')) socket.send(JSON.stringify({ id: 2, subscribe: { channel } }));
            else if (text.includes('"subscribe":')) {
              onEntered();
              resolve(socket);
            }
          },
        });
      });
    return Promise.all(Array.from({ length: MANY }, (_, index) => open(index)));
  }
});

interface Member {
  readonly user: string;
}

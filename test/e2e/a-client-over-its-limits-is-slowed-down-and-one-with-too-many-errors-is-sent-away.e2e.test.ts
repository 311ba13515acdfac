import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import type { Deployment } from '../harness/deployment.ts';
import { DEPLOYMENTS } from '../harness/deployments.ts';
import { RawClient } from '../harness/raw-client.ts';

const per = (rate: number, interval = '1h') => ({ enabled: true, buckets: [{ interval, rate }] });
const config = {
  client: {
    user_connection_limit: 3,
    rate_limit: {
      client_command: { enabled: true, publish: per(5), history: per(2, '2s') },
      user_command: { enabled: true, subscribe: per(4) },
      client_error: { enabled: true, total: per(6) },
    },
  },
  channel: {
    without_namespace: {
      allow_subscribe_for_client: true,
      allow_publish_for_client: true,
      allow_history_for_client: true,
      history_size: 5,
      history_ttl: '60s',
    },
  },
};

describe.each(DEPLOYMENTS)('$kind', ({ start }) => {
  let server: Deployment;
  const clients: RawClient[] = [];
  const open = async (user: string): Promise<RawClient> => {
    const client = await RawClient.open(server.wsUrl(0));
    clients.push(client);
    await client.connect({ token: server.token(user) });
    return client;
  };
  /** Codes of errors, 0 for a command that was done. */
  const codes = async (count: number, run: () => Promise<{ error?: { code: number } }>): Promise<number[]> => {
    const found: number[] = [];
    for (let index = 0; index < count; index++) found.push((await run()).error?.code ?? 0);
    return found;
  };

  beforeAll(async () => {
    server = await start({ config });
  });
  afterEach(() => {
    for (const { socket } of clients.splice(0)) socket.close();
  });
  afterAll(() => server.stop());

  it('commands over the limit of a connection are answered with 111, the others are done', async () => {
    const client = await open('a');
    const publish = () => client.call({ publish: { channel: 'x', data: 1 } });
    expect(await codes(7, publish)).toEqual([0, 0, 0, 0, 0, 111, 111]);
    expect((await client.subscribe('y')).subscribe).toBeDefined();
    expect(await codes(1, async () => (await open('a')).call({ publish: { channel: 'x', data: 1 } }))).toEqual([0]);
  });

  it('a limit gives way with time', async () => {
    const client = await open('b');
    const history = () => client.call({ history: { channel: 'x', limit: 1 } });
    expect(await codes(3, history)).toEqual([0, 0, 111]);
    await new Promise((resolve) => void setTimeout(resolve, 1_100));
    expect(await codes(2, history)).toEqual([0, 111]);
  });

  it('connections of a user share the limit of the user', async () => {
    const [first, second] = [await open('c'), await open('c')];
    const subscribe = (client: RawClient, name: string) => () => client.subscribe(`${name}${Math.random()}`);
    expect(await codes(3, subscribe(first, 's'))).toEqual([0, 0, 0]);
    expect(await codes(2, subscribe(second, 's'))).toEqual([0, 111]);
  });

  it('a client with too many errors is disconnected with 3509', async () => {
    const client = await open('d');
    const fail = () => client.call({ publish: { channel: 'unknown:x', data: 1 } });
    expect(await codes(6, fail)).not.toContain(0);
    expect((await fail()).error).toBeDefined();
    expect(await client.closed()).toMatchObject({ code: 3509, reason: 'too many errors' });
  });

  it('a connection too many of a user is refused with 3504', async () => {
    for (let index = 0; index < 3; index++) await open('e');
    const client = await RawClient.open(server.wsUrl(0));
    client.socket.send(JSON.stringify({ id: 1, connect: { token: server.token('e') } }));
    expect(await client.closed()).toMatchObject({ code: 3504, reason: 'connection limit' });
  });
});

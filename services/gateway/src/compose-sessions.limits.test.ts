import { memoryEngine } from '@carillon/cluster/memory';
import { FakeClock } from '@carillon/service-kit';
import { afterEach, describe, expect, it } from 'vitest';
import type { FakeConnection } from './fixture/fake-connection.ts';
import { startSessions, type RunningSessions } from './fixture/start-sessions.ts';

const per = (rate: number, interval = '10s') => ({ enabled: true, buckets: [{ interval, rate }] });

describe('client.rate_limit', () => {
  const nodes: RunningSessions[] = [];
  const start = async (rate_limit: object): Promise<RunningSessions & { readonly clock: FakeClock }> => {
    const clock = new FakeClock(1_800_000_000_000);
    const identity = { name: 'n', role: 'standalone', version: '1' } as const;
    const node = await startSessions(memoryEngine({ clock, node: identity }), clock, {
      client: { rate_limit },
      channel: {
        without_namespace: { allow_publish_for_client: true, allow_subscribe_for_client: true },
        namespaces: [{ name: 'chat', allow_publish_for_client: true }],
      },
    });
    nodes.push(node);
    return { ...node, clock };
  };
  const connected = async (node: RunningSessions, user = 'u'): Promise<FakeConnection> => {
    const client = node.open();
    expect(await client.connect({ user })).toMatchObject({ connect: {} });
    return client;
  };
  const publish = async (client: FakeConnection, channel = 'a') =>
    (await client.command({ publish: { channel, data: 1 } }))?.error?.code ?? 'done';
  const rpc = async (client: FakeConnection, method: string) =>
    (await client.command({ rpc: { method, data: 1 } }))?.error?.code;
  const passed = async (act: () => Promise<unknown>): Promise<number> => {
    let count = 0;
    while (count < 20 && (await act()) !== 111) count += 1;
    return count;
  };

  afterEach(async () => {
    await Promise.all(nodes.splice(0).map((node) => node.close()));
  });

  it('without any, nothing is counted', async () => {
    const node = await start({});
    const client = await connected(node);
    expect(await passed(() => publish(client))).toBe(20);
  });

  it('a command over its limit is answered with 111 and is good again when time has passed', async () => {
    const node = await start({ client_command: { enabled: true, publish: per(3) } });
    const client = await connected(node);
    expect(await passed(() => publish(client))).toBe(3);
    expect(await passed(() => rpc(client, 'x'))).toBe(20);
    await node.clock.advance(10_000);
    expect(await passed(() => publish(client))).toBe(3);
    expect(client.closed).toBeUndefined();
  });

  it('limits of a connection are its own', async () => {
    const node = await start({ client_command: { enabled: true, default: per(2) } });
    const [first, second] = [await connected(node), await connected(node)];
    expect([await passed(() => publish(first)), await passed(() => publish(second))]).toEqual([2, 2]);
  });

  it('limits of a user are shared by all connections, and anonymous ones have none', async () => {
    const node = await start({ user_command: { enabled: true, publish: per(3) } });
    const [first, second] = [await connected(node), await connected(node)];
    const [other, nobody] = [await connected(node, 'w'), await connected(node, '')];
    await publish(first);
    expect(await passed(() => publish(second))).toBe(2);
    expect(await passed(() => publish(first))).toBe(0);
    expect(await passed(() => publish(other))).toBe(3);
    expect(await passed(async () => publish(nobody))).toBe(20);
  });

  it('a user who connects too often is answered with 111', async () => {
    const node = await start({ user_command: { enabled: true, connect: per(2) } });
    await connected(node);
    await connected(node);
    expect(await node.open().connect({ user: 'u' })).toMatchObject({ error: { code: 111 } });
    await connected(node, 'w');
  });

  it('namespaces and methods have limits of their own where that is configured', async () => {
    const overrides = [{ namespace_name: 'chat', ...per(5) }];
    const methods = [{ method: 'slow', ...per(1) }];
    const node = await start({
      client_command: {
        enabled: true,
        publish: { ...per(2), namespace_overrides: overrides },
        rpc: { ...per(4), method_overrides: methods },
      },
    });
    const client = await connected(node);
    expect([await passed(() => publish(client, 'chat:a')), await passed(() => publish(client))]).toEqual([5, 2]);
    expect([await passed(() => rpc(client, 'slow')), await passed(() => rpc(client, 'x'))]).toEqual([1, 4]);
  });

  it('an unsubscribe is never refused, and counts in the total', async () => {
    const node = await start({ client_command: { enabled: true, total: per(4), unsubscribe: per(1) } });
    const client = await connected(node);
    for (let index = 0; index < 6; index++) {
      expect(await client.command({ unsubscribe: { channel: 'a' } })).toMatchObject({ unsubscribe: {} });
    }
    expect(await publish(client)).toBe(111);
  });

  it('a connection with too many errors is disconnected with 3509, after the last answer', async () => {
    const node = await start({ client_error: { enabled: true, total: per(3) } });
    const client = await connected(node);
    const fail = () => publish(client, 'nowhere:a');
    for (let index = 0; index < 3; index++) expect(await fail()).toBe(102);
    expect(client.closed).toBeUndefined();
    expect(await fail()).toBe(102);
    expect(client.closed).toEqual({ code: 3509, reason: 'too many errors' });
  });

  it('errors that come slowly enough are borne', async () => {
    const node = await start({ client_error: { enabled: true, total: per(2) } });
    const client = await connected(node);
    for (let index = 0; index < 6; index++) {
      expect(await publish(client, 'nowhere:a')).toBe(102);
      await node.clock.advance(5_000);
    }
    expect(client.closed).toBeUndefined();
  });
});

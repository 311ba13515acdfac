import { memoryEngine } from '@carillon/cluster/memory';
import { FakeClock } from '@carillon/service-kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startSessions, type RunningSessions } from './fixture/start-sessions.ts';

const NOW_S = 1_800_000_000;
const FORCED = { code: 3503, reason: 'force disconnect' };
const INVALID = { code: 3500, reason: 'invalid token' };

describe('bans', () => {
  let clock: FakeClock;
  let node: RunningSessions;

  beforeEach(async () => {
    clock = new FakeClock(NOW_S * 1000);
    const identity = { name: 'n', role: 'standalone', version: '1' } as const;
    node = await startSessions(memoryEngine({ clock, node: identity }), clock, {
      channel: { without_namespace: { allow_subscribe_for_client: true } },
    });
  });

  afterEach(() => node.close());

  const block = (user: string, expireAt = 0) => node.engine.bans.put({ kind: 'user', user, expireAt });
  const revoke = (tokenId: string) => node.engine.bans.put({ kind: 'token', tokenId, expireAt: 0 });
  const invalidate = (user: string, issuedBefore: number, channel = '') =>
    node.engine.bans.put({ kind: 'user_tokens', user, channel, issuedBefore, expireAt: 0 });
  const connected = async (claims: object) => {
    const client = node.open();
    expect(await client.connect(claims)).toMatchObject({ connect: {} });
    return client;
  };

  it('a user who is blocked loses all connections with 3503 and is refused with 3500', async () => {
    const [first, second, other] = [
      await connected({ user: 'u' }),
      await connected({ user: 'u' }),
      await connected({ user: 'w' }),
    ];
    await block('u');
    await clock.advance(1_000);
    expect([first.closed, second.closed, other.closed]).toEqual([FORCED, FORCED, undefined]);
    const again = node.open();
    expect(await again.connect({ user: 'u' })).toBeUndefined();
    expect(again.closed).toEqual(INVALID);
  });

  it('a user who is unblocked, or whose block has ended, may connect', async () => {
    await block('u');
    await node.engine.bans.remove({ kind: 'user', user: 'u' });
    await connected({ user: 'u' });
    await block('w', NOW_S + 5);
    await clock.advance(5_000);
    await connected({ user: 'w' });
  });

  it('a blocked user is refused behind a connect proxy, too', async () => {
    await block('u');
    node.connectProxy = { kind: 'result', result: { user: 'u' } };
    const client = node.open();
    await client.command({ connect: {} });
    expect(client.closed).toEqual(INVALID);
  });

  it('nobody is blocked who has no name', async () => {
    await block('');
    await connected({ user: 'u' });
  });

  it('a revoked token ends its connections and is refused; other tokens of the user are good', async () => {
    const [bad, good] = [await connected({ user: 'u', tokenId: 'a' }), await connected({ user: 'u', tokenId: 'b' })];
    await revoke('a');
    await clock.advance(1_000);
    expect([bad.closed, good.closed]).toEqual([FORCED, undefined]);
    const again = node.open();
    await again.connect({ user: 'u', tokenId: 'a' });
    expect(again.closed).toEqual(INVALID);
  });

  it('tokens of a user from before a time are invalid, those without a time among them', async () => {
    const clients = [
      await connected({ user: 'u', issuedAt: 99 }),
      await connected({ user: 'u', issuedAt: 100 }),
      await connected({ user: 'u' }),
    ];
    await invalidate('u', 100);
    await clock.advance(1_000);
    expect(clients.map(({ closed }) => closed?.code)).toEqual([3503, undefined, 3503]);
  });

  it('a connection is not refreshed with a revoked token', async () => {
    const client = await connected({ user: 'u', tokenId: 'a', expireAt: NOW_S + 60 });
    await revoke('b');
    await client.command({ refresh: { token: JSON.stringify({ user: 'u', tokenId: 'b', expireAt: NOW_S + 90 }) } });
    expect(client.closed).toEqual(INVALID);
  });

  it('tokens invalidated for a channel end subscriptions of that channel, and nothing else', async () => {
    const client = await connected({ user: 'u', issuedAt: 1 });
    await client.subscribe('news', { user: 'u', issuedAt: 1 });
    await client.subscribe('sport', { user: 'u', issuedAt: 1 });
    await client.subscribe('open');
    await invalidate('u', 100, 'news');
    await clock.advance(1_000);
    expect(client.closed).toBeUndefined();
    expect(client.received.flatMap(({ push }) => push ?? [])).toEqual([
      { channel: 'news', unsubscribe: { code: 2000, reason: 'server unsubscribe' } },
    ]);
    expect(await client.subscribe('news', { user: 'u', issuedAt: 100 })).toMatchObject({ subscribe: {} });
    expect(await client.subscribe('other', { user: 'u', issuedAt: 1 })).toMatchObject({ subscribe: {} });
  });

  it('a revoked subscription token ends its subscription, and is refused with 3500', async () => {
    const client = await connected({ user: 'u' });
    await client.subscribe('news', { user: 'u', tokenId: 's' });
    await revoke('s');
    await clock.advance(1_000);
    expect(client.received.at(-1)).toMatchObject({ push: { channel: 'news', unsubscribe: { code: 2000 } } });
    await client.subscribe('news', { user: 'u', tokenId: 's' });
    expect(client.closed).toEqual(INVALID);
  });

  it('a ban that comes while a connection or a subscription is made ends it as well', async () => {
    const presence = node.engine.presence;
    const opening = Promise.withResolvers<void>();
    const client = await connected({ user: 'u' });
    const join = node.engine.broker.join.bind(node.engine.broker);
    node.engine.broker.join = async (...args) => {
      await opening.promise;
      return join(...args);
    };
    client.say({ subscribe: { channel: 'news', token: JSON.stringify({ user: 'u', channel: 'news', tokenId: 's' }) } });
    await clock.advance(10);
    await revoke('s');
    await clock.advance(1_000);
    opening.resolve();
    await clock.advance(1_000);
    expect(client.closed).toEqual(INVALID);
    expect((await presence.members('news')).size).toBe(0);
  });

  it('all of many connections are looked at, a slice a turn', async () => {
    const clients = Array.from({ length: 300 }, () => node.open());
    await Promise.all(clients.map((client, index) => client.connect({ user: `u${index}`, tokenId: `t${index % 2}` })));
    await revoke('t1');
    await clock.advance(1_000);
    expect(clients.filter(({ closed }) => closed?.code === 3503)).toHaveLength(150);
    expect(node.stack.sessions.numClients).toBe(150);
  });

  it('bans that come one after the other all have their effect', async () => {
    const clients = await Promise.all(
      Array.from({ length: 10 }, (_, index) => connected({ user: 'u', tokenId: `t${index}` })),
    );
    for (let index = 0; index < 10; index++) {
      await revoke(`t${index}`);
      await clock.advance(30);
    }
    await clock.advance(1_000);
    expect(clients.map(({ closed }) => closed?.code)).toEqual(clients.map(() => 3503));
  });
});

describe('client.user_connection_limit', () => {
  it('refuses a connection too many of a user with 3504, and takes one when another has gone', async () => {
    const clock = new FakeClock(NOW_S * 1000);
    const identity = { name: 'n', role: 'standalone', version: '1' } as const;
    const node = await startSessions(memoryEngine({ clock, node: identity }), clock, {
      client: { user_connection_limit: 2 },
    });
    const clients = [node.open(), node.open(), node.open(), node.open(), node.open()] as const;
    for (const client of clients.slice(0, 3)) await client.connect({ user: 'u' });
    await clients[3].connect({ user: 'w' });
    expect(clients.map(({ closed }) => closed?.code)).toEqual([undefined, undefined, 3504, undefined, undefined]);
    clients[0].leave();
    expect(await clients[4].connect({ user: 'u' })).toMatchObject({ connect: {} });
    const nobody = [node.open(), node.open(), node.open()];
    for (const client of nobody) expect(await client.connect({ user: '' })).toMatchObject({ connect: {} });
    await node.close();
  });
});

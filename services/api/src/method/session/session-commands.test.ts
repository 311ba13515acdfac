import { OperationalError } from '@carillon/service-kit';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { call } from '../../fixture/http-call.ts';
import { startApi, type RunningApi } from '../../fixture/start-api.ts';

// What these methods do to sessions is the gateway's; here is what is asked of it.

describe('methods that act on sessions', () => {
  let api: RunningApi;
  beforeAll(async () => {
    api = await startApi();
  });
  beforeEach(() => {
    api.commands.length = 0;
    api.node.apply = async () => undefined;
  });
  afterAll(() => api.close());

  const OK = { result: {} };
  const target = { user: 'u', client: 'c', session: 's' };

  it.each([
    ['subscribe', {}, 107],
    ['subscribe', { channel: 'x:y' }, 102],
    ['subscribe', { channel: 'x:y', b64info: '!' }, 102],
    ['subscribe', { channel: 'a', b64info: '!' }, 107],
    ['subscribe', { channel: 'a', b64data: 'YQ' }, 107],
    ['unsubscribe', { channel: 'x:y' }, 102],
    ['disconnect', { disconnect: {} }, 107],
    ['disconnect', { disconnect: { code: 2999 } }, 107],
    ['disconnect', { disconnect: { code: 5000 } }, 107],
    ['disconnect', { disconnect: { code: 70000, reason: 'x' } }, 107],
    ['disconnect', { disconnect: { code: 4000, reason: 'ы'.repeat(62) } }, 107],
  ])('%s %j is refused with %d (55, 60)', async (method, request, code) => {
    expect((await call(api, method, request)).error?.code).toBe(code);
    expect(api.commands).toEqual([]);
  });

  it('subscribe passes on all it was told (55, 57, 59)', async () => {
    const request = {
      ...target,
      channel: 'pr:a',
      expire_at: 5,
      info: { i: 1 },
      b64data: 'AAE=',
      recover_since: { offset: 3, epoch: 'e' },
      override: { presence: { value: false }, force_recovery: { value: true } },
      label_filter: { op: 'and' },
      all_users: true,
    };
    expect(await call(api, 'subscribe', request)).toEqual(OK);
    expect(api.commands).toMatchObject([
      {
        kind: 'subscribe',
        select: target,
        channel: 'pr:a',
        expireAt: 5,
        recoverSince: { offset: 3, epoch: 'e' },
        override: { forceRecovery: { value: true } },
      },
    ]);
    const [command] = api.commands;
    expect(command?.kind === 'subscribe' && Buffer.from(command.info ?? '').toString()).toBe('{"i":1}');
    expect(command?.kind === 'subscribe' && [...(command.data ?? [])]).toEqual([0, 1]);
    expect(command?.kind === 'subscribe' && command.override?.presence).toBeDefined();
  });

  it('subscribe answers 100 when a connection of this node could not be subscribed (58)', async () => {
    api.node.apply = async () => {
      throw new OperationalError('expired', 'the subscription has expired');
    };
    expect((await call(api, 'subscribe', { channel: 'a', user: 'u', expire_at: 1 })).error?.code).toBe(100);
  });

  it('succeed when nobody matches (56)', async () => {
    expect(await call(api, 'subscribe', { channel: 'a', user: 'nobody' })).toEqual(OK);
  });

  it('unsubscribe names the code, and takes an empty channel as it is (61, 62)', async () => {
    expect(await call(api, 'unsubscribe', { ...target, channel: 'a' })).toEqual(OK);
    expect(await call(api, 'unsubscribe', {})).toEqual(OK);
    const push = { kind: 'unsubscribe', code: 2000, reason: 'server unsubscribe' };
    expect(api.commands).toMatchObject([
      { ...push, select: target, channel: 'a' },
      { ...push, select: { user: '' }, channel: '' },
    ]);
  });

  it('disconnect has a default, takes codes of applications, and keeps a whitelist (63, 64, 65)', async () => {
    await call(api, 'disconnect', {});
    await call(api, 'disconnect', { ...target, disconnect: { code: 4501, reason: 'bye' }, whitelist: ['c1', 'c2'] });
    await call(api, 'disconnect', { disconnect: { code: 3000, reason: 'x'.repeat(123) } });
    expect(api.commands).toMatchObject([
      { kind: 'disconnect', select: { user: '' }, code: 3503, reason: 'force disconnect', whitelist: [] },
      { kind: 'disconnect', select: target, code: 4501, reason: 'bye', whitelist: ['c1', 'c2'] },
      { kind: 'disconnect', code: 3000 },
    ]);
  });

  it('refresh passes on all it was told (66)', async () => {
    await call(api, 'refresh', { ...target, expire_at: 7, info: null });
    await call(api, 'refresh', { expired: true });
    expect(api.commands).toMatchObject([
      { kind: 'refresh', select: target, expired: false, expireAt: 7 },
      { kind: 'refresh', select: { user: '' }, expired: true, expireAt: 0, info: undefined },
    ]);
  });
});

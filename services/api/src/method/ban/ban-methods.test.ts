import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { grpcCall } from '../../fixture/grpc-call.ts';
import { call, post } from '../../fixture/http-call.ts';
import { startApi, type RunningApi } from '../../fixture/start-api.ts';

// What a ban does to sessions is the gateway's; here is what becomes one.

describe('methods that ban', () => {
  let api: RunningApi;
  let nowS: number;
  beforeAll(async () => {
    api = await startApi({ grpc_api: { enabled: true, key: 'k' } });
    nowS = Math.floor(api.clock.now() / 1_000);
  });
  afterAll(() => api.close());

  const OK = { result: {} };
  const long = 'x'.repeat(1_025);

  it.each([
    ['block_user', {}],
    ['block_user', { user: '' }],
    ['block_user', { user: long }],
    ['block_user', { user: 'u', expire_at: -1 }],
    ['unblock_user', {}],
    ['revoke_token', {}],
    ['revoke_token', { uid: long }],
    ['revoke_token', { uid: 'id', expire_at: -1 }],
    ['invalidate_user_tokens', { channel: 'c' }],
    ['invalidate_user_tokens', { user: 'u', channel: long }],
    ['invalidate_user_tokens', { user: 'u', issued_before: -1 }],
  ])('%s %j is refused with 107', async (method, request) => {
    expect((await call(api, method, request)).error?.code).toBe(107);
    expect(api.bans.current.size).toBe(0);
  });

  it('a user is blocked for ever or until a time, and unblocked', async () => {
    const isBlocked = (user: string, atS: number): boolean => api.bans.current.isUserBlocked(user, atS);
    expect(await call(api, 'block_user', { user: 'a' })).toEqual(OK);
    expect(await call(api, 'block_user', { user: 'b', expire_at: nowS + 10 })).toEqual(OK);
    expect([isBlocked('a', nowS * 2), isBlocked('b', nowS + 9), isBlocked('b', nowS + 10)]).toEqual([
      true,
      true,
      false,
    ]);
    expect(await call(api, 'unblock_user', { user: 'a' })).toEqual(OK);
    expect(await call(api, 'unblock_user', { user: 'a' })).toEqual(OK);
    expect(isBlocked('a', nowS)).toBe(false);
  });

  it('a token is revoked by its id', async () => {
    expect(await call(api, 'revoke_token', { uid: 'id', expire_at: nowS + 10 })).toEqual(OK);
    const token = { user: 'z', tokenId: 'id', issuedAt: nowS };
    expect(api.bans.current.isTokenRevoked(token, nowS)).toBe(true);
    expect(api.bans.current.isTokenRevoked({ ...token, tokenId: 'other' }, nowS)).toBe(false);
  });

  it('tokens of a user from before now are invalidated, unless another time or a channel is named', async () => {
    const isRevoked = (user: string, issuedAt: number, channel?: string): boolean =>
      api.bans.current.isTokenRevoked({ user, tokenId: undefined, issuedAt, channel }, nowS);
    expect(await call(api, 'invalidate_user_tokens', { user: 'c' })).toEqual(OK);
    expect([isRevoked('c', nowS - 1), isRevoked('c', nowS)]).toEqual([true, false]);
    expect(await call(api, 'invalidate_user_tokens', { user: 'd', issued_before: 50, channel: 'news' })).toEqual(OK);
    expect([isRevoked('d', 49), isRevoked('d', 49, 'news'), isRevoked('d', 50, 'news')]).toEqual([false, true, false]);
  });

  it('are there in batches, by their old numbers and over gRPC', async () => {
    const commands = [{ block_user: { user: 'e' } }, { revoke_token: {} }, { unblock_user: { user: 'e' } }];
    expect(await call(api, 'batch', { commands })).toMatchObject({
      replies: [{ block_user: {} }, { error: { code: 107 } }, { unblock_user: {} }],
    });
    const { text } = await post(api, '/api', '{"id":1,"method":18,"params":{"user":"f"}}');
    expect(text).toBe('{"id":1,"result":{}}');
    expect(api.bans.current.isUserBlocked('f', nowS)).toBe(true);
    expect(await grpcCall(api.grpcAddress, 'unblockUser', { user: 'f' })).toMatchObject({ response: { result: {} } });
    expect(api.bans.current.isUserBlocked('f', nowS)).toBe(false);
  });

  it('answer 100 when bans can not be stored', async () => {
    const other = await startApi();
    await other.bans.close();
    expect((await call(other, 'block_user', { user: 'u' })).error?.code).toBe(100);
    await other.close();
  });
});

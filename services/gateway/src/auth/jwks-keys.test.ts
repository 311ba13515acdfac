import { createSign, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, SignJWT, type JWK } from 'jose';
import { createSilentLog, FakeClock } from '@carillon/service-kit';
import { afterEach, describe, expect, it } from 'vitest';
import { createJwksKeys } from './jwks-keys.ts';
import { MAX_USELESS_FETCHES } from './fetch-allowance.ts';
import { createVerifyToken } from './verify-token.ts';
import type { TokenSettings } from './token-settings.ts';

type Answer = { readonly status?: number; readonly body?: string; readonly hang?: boolean };

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** A real key server whose answers the test chooses by path and count. */
async function keyServer(
  answer: (path: string, count: number) => Answer,
): Promise<{ url: string; requests: string[] }> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request.url ?? '');
    const { status = 200, body = '', hang } = answer(request.url ?? '', requests.length);
    if (hang !== true) response.writeHead(status).end(body);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, requests };
}

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ed = generateKeyPairSync('ed25519');
const jwk = async (key: KeyObject, extra: JWK): Promise<JWK> => ({ ...(await exportJWK(key)), use: 'sig', ...extra });
const setOf = (...keys: readonly unknown[]): string => JSON.stringify({ keys });
const sign = (key: KeyObject, alg: string, header: { kid?: string }, claims = {}): Promise<string> =>
  new SignJWT({ sub: '42', ...claims }).setProtectedHeader({ alg, ...header }).sign(key);

function verify(endpoint: string, rules: Partial<TokenSettings> = {}, clock = new FakeClock(1.8e12)) {
  const settings: TokenSettings = {
    hmacSecretKey: 'secret',
    hmacPreviousSecretKey: '',
    hmacPreviousSecretKeyValidUntil: 0,
    rsaPublicKey: '',
    ecdsaPublicKey: '',
    jwksPublicEndpoint: endpoint,
    audience: '',
    audienceRegex: '',
    issuer: '',
    issuerRegex: '',
    userIdClaim: '',
    skipSignatureVerify: false,
    ...rules,
  };
  const keys = createJwksKeys({ endpoint, clock, log: createSilentLog() });
  const check = createVerifyToken({ settings, keys, clock });
  return (token: string) => check(token, 'connection');
}

describe('a key set endpoint', () => {
  it('gives RSA, EC and OKP keys', async () => {
    const body = setOf(
      await jwk(rsa.publicKey, { kid: 'r' }),
      await jwk(ec.publicKey, { kid: 'e' }),
      await jwk(ed.publicKey, { kid: 'o' }),
    );
    const { url, requests } = await keyServer(() => ({ body }));
    const check = verify(url);
    await check(await sign(rsa.privateKey, 'RS256', { kid: 'r' }));
    await check(await sign(rsa.privateKey, 'RS512', { kid: 'r' }));
    await check(await sign(ec.privateKey, 'ES256', { kid: 'e' }));
    await check(await sign(ed.privateKey, 'EdDSA', { kid: 'o' }));
    expect(requests).toHaveLength(1);
  });

  it('refuses tokens without kid, keys without use, other algorithms, HMAC and private keys', async () => {
    const body = setOf(
      await jwk(rsa.publicKey, { kid: 'r', alg: 'RS256' }),
      { ...(await exportJWK(ec.publicKey)), kid: 'no-use' },
      await jwk(ec.privateKey, { kid: 'private' }),
    );
    const { url } = await keyServer(() => ({ body }));
    const check = verify(url);
    const hmac = await new SignJWT({}).setProtectedHeader({ alg: 'HS256', kid: 'r' }).sign(Buffer.from('secret'));
    const refused = [
      await sign(rsa.privateKey, 'RS256', {}),
      await sign(ec.privateKey, 'ES256', { kid: 'no-use' }),
      await sign(rsa.privateKey, 'RS512', { kid: 'r' }),
      await sign(ec.privateKey, 'ES256', { kid: 'private' }),
      hmac,
    ];
    for (const token of refused) await expect(check(token)).rejects.toMatchObject({ code: 'invalid' });
    await check(await sign(rsa.privateKey, 'RS256', { kid: 'r' }));
  });

  it('fails a set as a whole when one key of it can not be read', async () => {
    const body = setOf(await jwk(rsa.publicKey, { kid: 'r' }), { kty: 'oct', k: 'AA', kid: 'x', use: 'sig' });
    const { url } = await keyServer(() => ({ body }));
    await expect(verify(url)(await sign(rsa.privateKey, 'RS256', { kid: 'r' }))).rejects.toMatchObject({
      code: 'invalid',
    });
  });

  it.each([
    ['an unknown curve', { kty: 'EC', crv: 'constructor', x: 'AA', y: 'AA' }],
    ['no modulus', { kty: 'RSA', e: 'AQAB' }],
    ['a modulus that is no base64url', { kty: 'RSA', n: '+/=', e: 'AQAB' }],
    ['another OKP curve', { kty: 'OKP', crv: 'X25519', x: 'AA' }],
  ])('fails a set as a whole when a key of it has %s, whatever that key is for', async (_title, broken) => {
    const body = setOf(await jwk(rsa.publicKey, { kid: 'r' }), { ...broken, kid: 'x', use: 'enc' });
    const { url } = await keyServer(() => ({ body }));
    const refused = verify(url)(await sign(rsa.privateKey, 'RS256', { kid: 'r' }));
    await expect(refused).rejects.toMatchObject({ code: 'invalid' });
  });

  it('with a key below 2048 bits refuses the tokens of that key alone', async () => {
    const small = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const body = setOf(await jwk(rsa.publicKey, { kid: 'r' }), await jwk(small.publicKey, { kid: 'small' }));
    const { url } = await keyServer(() => ({ body }));
    const check = verify(url);
    const header = Buffer.from('{"alg":"RS256","kid":"small"}').toString('base64url');
    const text = `${header}.${Buffer.from('{"sub":"42"}').toString('base64url')}`;
    const signature = createSign('RSA-SHA256').update(text).sign(small.privateKey).toString('base64url');
    await expect(check(`${text}.${signature}`)).rejects.toMatchObject({ code: 'invalid' });
    await check(await sign(rsa.privateKey, 'RS256', { kid: 'r' }));
  });

  it('that is away is mentioned once for all who wait for it', async () => {
    const { url } = await keyServer(() => ({ status: 500 }));
    const warnings: string[] = [];
    const log = { ...createSilentLog(), warn: (message: string) => void warnings.push(message) };
    const clock = new FakeClock(1.8e12);
    const keys = createJwksKeys({ endpoint: url, clock, log });
    const asked = Array.from({ length: 10 }, (_, index) => keys.keysFor({ alg: 'RS256', kid: `k${index}` }, {}));
    await Promise.allSettled(asked);
    expect(warnings).toHaveLength(1);
  });

  it('serves cached keys while it is away, and for an hour after their last use', async () => {
    const body = setOf(await jwk(rsa.publicKey, { kid: 'r' }));
    const { url, requests } = await keyServer((_path, count) => (count === 1 ? { body } : { status: 500 }));
    const clock = new FakeClock(1.8e12);
    const check = verify(url, {}, clock);
    const token = await sign(rsa.privateKey, 'RS256', { kid: 'r' });
    await check(token);
    for (let uses = 0; uses < 3; uses++) {
      await clock.advance(3_500_000);
      await check(token);
    }
    expect(requests).toHaveLength(1);
    await clock.advance(3_600_001);
    await expect(check(token)).rejects.toMatchObject({ code: 'invalid' });
    expect(requests).toHaveLength(3);
  });

  it('is asked twice before a token is refused', async () => {
    const body = setOf(await jwk(rsa.publicKey, { kid: 'r' }));
    const second = await keyServer((_path, count) => (count === 1 ? { status: 500 } : { body }));
    await verify(second.url)(await sign(rsa.privateKey, 'RS256', { kid: 'r' }));
    const never = await keyServer(() => ({ status: 500 }));
    const refused = verify(never.url)(await sign(rsa.privateKey, 'RS256', { kid: 'r' }));
    await expect(refused).rejects.toMatchObject({ code: 'invalid' });
    expect(never.requests).toHaveLength(2);
    const garbage = await keyServer(() => ({ body: 'garbage' }));
    const unreadable = verify(garbage.url)(await sign(rsa.privateKey, 'RS256', { kid: 'r' }));
    await expect(unreadable).rejects.toMatchObject({ code: 'invalid' });
    expect(garbage.requests).toHaveLength(1);
  });

  it('that hangs costs a bounded time', async () => {
    const { url } = await keyServer(() => ({ hang: true }));
    const startedAt = performance.now();
    await expect(verify(url)(await sign(rsa.privateKey, 'RS256', { kid: 'r' }))).rejects.toMatchObject({
      code: 'invalid',
    });
    expect(performance.now() - startedAt).toBeLessThan(12_000);
  });

  it('is asked once for many tokens at a time, and a few times at once for forged key ids, then once a second', async () => {
    const body = setOf(await jwk(rsa.publicKey, { kid: 'r' }));
    const { url, requests } = await keyServer(() => ({ body }));
    const clock = new FakeClock(1.8e12);
    const check = verify(url, {}, clock);
    const token = await sign(rsa.privateKey, 'RS256', { kid: 'r' });
    await Promise.all(Array.from({ length: 20 }, () => check(token)));
    expect(requests).toHaveLength(1);
    const forged = await sign(rsa.privateKey, 'RS256', { kid: 'forged' });
    for (let tries = 0; tries < 20; tries += 1) {
      await expect(check(forged)).rejects.toMatchObject({ code: 'invalid' });
    }
    expect(requests).toHaveLength(1 + MAX_USELESS_FETCHES);
    await clock.advance(1001);
    for (let tries = 0; tries < 3; tries += 1) {
      await expect(check(forged)).rejects.toMatchObject({ code: 'invalid' });
    }
    expect(requests).toHaveLength(2 + MAX_USELESS_FETCHES);
  });

  it('gives a key that it got a moment ago', async () => {
    const [first, second] = [await jwk(rsa.publicKey, { kid: 'first' }), await jwk(ec.publicKey, { kid: 'second' })];
    let body = setOf(first);
    const { url, requests } = await keyServer(() => ({ body }));
    const check = verify(url);
    await check(await sign(rsa.privateKey, 'RS256', { kid: 'first' }));
    const token = await sign(ec.privateKey, 'ES256', { kid: 'second' });
    await expect(check(token)).rejects.toMatchObject({ code: 'invalid' });
    body = setOf(first, second);
    await check(token);
    expect(requests).toHaveLength(3);
  });

  it('keeps the keys of tenants apart and refuses unclean paths', async () => {
    const sets: Readonly<Record<string, string>> = {
      '/a/jwks': setOf(await jwk(rsa.publicKey, { kid: 'same' })),
      '/b/jwks': setOf(await jwk(ec.publicKey, { kid: 'same' })),
    };
    const { url } = await keyServer((path) => ({
      body: sets[path] ?? '',
      status: sets[path] === undefined ? 404 : 200,
    }));
    const check = verify(`${url}/{{tenant}}/jwks`, { issuerRegex: '^https://(?P<tenant>[^/]*.*)$' });
    await check(await sign(rsa.privateKey, 'RS256', { kid: 'same' }, { iss: 'https://a' }));
    await check(await sign(ec.privateKey, 'ES256', { kid: 'same' }, { iss: 'https://b' }));
    for (const tenant of ['b', '..', 'x/../a', '']) {
      const token = await sign(rsa.privateKey, 'RS256', { kid: 'same' }, { iss: `https://${tenant}` });
      await expect(check(token)).rejects.toMatchObject({ code: 'invalid' });
    }
  });
});

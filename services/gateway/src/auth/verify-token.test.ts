import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { CompactSign, SignJWT, UnsecuredJWT } from 'jose';
import { FakeClock } from '@carillon/service-kit';
import { beforeAll, describe, expect, it } from 'vitest';
import { createStaticKeys } from './static-keys.ts';
import { createTokenVerifier } from './create-token-verifier.ts';
import type { TokenSettings } from './token-settings.ts';
import type { TokenVerifier } from './token-verifier.ts';

const NOTHING: TokenSettings = {
  hmacSecretKey: '',
  hmacPreviousSecretKey: '',
  hmacPreviousSecretKeyValidUntil: 0,
  rsaPublicKey: '',
  ecdsaPublicKey: '',
  jwksPublicEndpoint: '',
  audience: '',
  audienceRegex: '',
  issuer: '',
  issuerRegex: '',
  userIdClaim: '',
  skipSignatureVerify: false,
};
const SECRET: TokenSettings = { ...NOTHING, hmacSecretKey: 'secret' };
const NOW_S = 1_800_000_000;

const clock = new FakeClock(NOW_S * 1000);
const verifier = (settings: TokenSettings, subscription?: TokenSettings): Promise<TokenVerifier> =>
  createTokenVerifier({
    connection: settings,
    subscription,
    isKnownChannel: (channel) => !channel.startsWith('zz:'),
    createKeys: (of) => createStaticKeys(of, clock),
    clock,
  });
const sign = (claims: Record<string, unknown>, secret = 'secret', alg = 'HS256'): Promise<string> =>
  new SignJWT(claims).setProtectedHeader({ alg }).sign(new TextEncoder().encode(secret));
const signWith = (claims: Record<string, unknown>, key: KeyObject, alg: string): Promise<string> =>
  new SignJWT(claims).setProtectedHeader({ alg }).sign(key);
const pem = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString();
const text = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString();

describe('types of claims', () => {
  it.each([{ aud: 1 }, { aud: ['a', 1] }, { aud: {} }, { iat: 'x', exp: 1 }, { nbf: 'x' }, { expire_at: '0', exp: 1 }])(
    'a wrong type in %j is invalid, whether or not the claim is looked at',
    async (claims) => {
      const token = await sign({ sub: '42', ...claims });
      await expect((await verifier(SECRET)).verifyConnectToken(token)).rejects.toMatchObject({ code: 'invalid' });
    },
  );
});

describe('signatures', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });

  it.each(['HS256', 'HS384', 'HS512'])('%s is accepted with the secret', async (alg) => {
    const { user } = await (await verifier(SECRET)).verifyConnectToken(await sign({ sub: '42' }, 'secret', alg));
    expect(user).toBe('42');
  });

  it.each(['RS256', 'RS384', 'RS512'])('%s is accepted with the RSA key and refused without one', async (alg) => {
    const token = await signWith({ sub: '42' }, rsa.privateKey, alg);
    const withKey = await verifier({ ...NOTHING, rsaPublicKey: pem(rsa.publicKey) });
    expect((await withKey.verifyConnectToken(token)).user).toBe('42');
    await expect((await verifier(SECRET)).verifyConnectToken(token)).rejects.toMatchObject({ code: 'invalid' });
  });

  it('an ECDSA token is accepted only with the algorithm of the configured curve', async () => {
    const withP256 = await verifier({ ...NOTHING, ecdsaPublicKey: pem(p256.publicKey) });
    const es256 = await signWith({ sub: '42' }, p256.privateKey, 'ES256');
    const es384 = await signWith({ sub: '42' }, p384.privateKey, 'ES384');
    expect((await withP256.verifyConnectToken(es256)).user).toBe('42');
    await expect(withP256.verifyConnectToken(es384)).rejects.toMatchObject({ code: 'invalid' });
  });

  it('alg none, PS256 and EdDSA are refused with static keys', async () => {
    const ed = generateKeyPairSync('ed25519');
    const all = await verifier({ ...SECRET, rsaPublicKey: pem(rsa.publicKey) });
    const tokens = [
      new UnsecuredJWT({ sub: '42' }).encode(),
      await signWith({ sub: '42' }, rsa.privateKey, 'PS256'),
      await signWith({ sub: '42' }, ed.privateKey, 'EdDSA'),
    ];
    for (const token of tokens) await expect(all.verifyConnectToken(token)).rejects.toMatchObject({ code: 'invalid' });
  });

  it('an HMAC token signed with the text of the public key is refused', async () => {
    const publicPem = pem(rsa.publicKey);
    const confused = await sign({ sub: '42' }, publicPem);
    const withRsa = await verifier({ ...NOTHING, rsaPublicKey: publicPem });
    await expect(withRsa.verifyConnectToken(confused)).rejects.toMatchObject({ code: 'invalid' });
  });

  it('malformed tokens are refused', async () => {
    const good = await sign({ sub: '42' });
    const [header = '', payload = '', signature = ''] = good.split('.');
    const bad = [
      '',
      'x',
      `${header}.${payload}`,
      `${good}=`,
      `x${good}`,
      `${header}.${payload}.${signature}.x`,
      'eyJ.eyJ.x',
    ];
    const checked = await verifier(SECRET);
    for (const token of bad) await expect(checked.verifyConnectToken(token)).rejects.toMatchObject({ code: 'invalid' });
    await expect(checked.verifyConnectToken(`eyJ${'a'.repeat(100_000)}`)).rejects.toMatchObject({ code: 'invalid' });
  });

  it('the previous HMAC key counts until its end', async () => {
    const old = await sign({ sub: '42' }, 'old');
    const rotation = { ...SECRET, hmacPreviousSecretKey: 'old' };
    expect((await (await verifier(rotation)).verifyConnectToken(old)).user).toBe('42');
    const ended = await verifier({ ...rotation, hmacPreviousSecretKeyValidUntil: NOW_S - 1 });
    await expect(ended.verifyConnectToken(old)).rejects.toMatchObject({ code: 'invalid' });
    const running = await verifier({ ...rotation, hmacPreviousSecretKeyValidUntil: NOW_S + 1 });
    expect((await running.verifyConnectToken(old)).user).toBe('42');
  });

  it('private keys, small keys and other texts are start errors', async () => {
    const small = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const privatePem = rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    for (const rsaPublicKey of [privatePem, pem(small.publicKey), 'nonsense', pem(p256.publicKey)]) {
      await expect(verifier({ ...NOTHING, rsaPublicKey })).rejects.toMatchObject({ code: 'bad_token_key' });
    }
  });

  it('skipping signature checks leaves every other check on', async () => {
    const skipping = await verifier({ ...SECRET, skipSignatureVerify: true, audience: 'app' });
    expect((await skipping.verifyConnectToken(await sign({ sub: '42', aud: 'app' }, 'wrong'))).user).toBe('42');
    const expired = await sign({ sub: '42', aud: 'app', exp: NOW_S - 1 }, 'wrong');
    await expect(skipping.verifyConnectToken(expired)).rejects.toMatchObject({ code: 'expired' });
    await expect(skipping.verifyConnectToken(await sign({ sub: '42' }))).rejects.toMatchObject({ code: 'invalid' });
  });
});

describe('connection claims', () => {
  let checked: TokenVerifier;
  beforeAll(async () => {
    checked = await verifier(SECRET);
  });
  const connect = async (claims: Record<string, unknown>) => checked.verifyConnectToken(await sign(claims));

  it('a token without sub is the anonymous user, unknown claims are ignored', async () => {
    expect((await connect({ whatever: { a: 1 } })).user).toBe('');
  });

  it('exp in the past and nbf in the future are expired, iat in the future is fine', async () => {
    await expect(connect({ sub: '1', exp: NOW_S })).rejects.toMatchObject({ code: 'expired' });
    await expect(connect({ sub: '1', nbf: NOW_S + 10 })).rejects.toMatchObject({ code: 'expired' });
    expect((await connect({ sub: '1', iat: NOW_S + 100 })).issuedAt).toBe(NOW_S + 100);
  });

  it('a token is good after its nbf, not at it', async () => {
    await expect(connect({ sub: '1', nbf: NOW_S })).rejects.toMatchObject({ code: 'expired' });
    expect((await connect({ sub: '1', nbf: NOW_S - 1 })).user).toBe('1');
  });

  it('a token of the wrong kind is invalid even when it is expired', async () => {
    await expect(connect({ channel: 'a', exp: NOW_S - 1 })).rejects.toMatchObject({ code: 'invalid' });
    const subscription = await sign({ channel: 'a', exp: NOW_S - 1 });
    await expect(checked.verifySubscribeToken(subscription)).rejects.toMatchObject({ code: 'expired' });
  });

  it('numbers that no clock can reach are refused', async () => {
    const key = new TextEncoder().encode('secret');
    const signText = (payload: string) =>
      new CompactSign(new TextEncoder().encode(payload)).setProtectedHeader({ alg: 'HS256' }).sign(key);
    for (const payload of ['{"exp":1e999}', '{"expire_at":1e300}', '{"exp":null,"expire_at":9007199254740993}']) {
      await expect(checked.verifyConnectToken(await signText(payload))).rejects.toMatchObject({ code: 'invalid' });
    }
    const byId = await verifier({ ...SECRET, userIdClaim: 'uid' });
    const users = ['{"uid":9007199254740993}', '{"uid":9007199254740992}', '{"uid":1.0}', '{"a":{"uid":7}}'];
    const ids = await Promise.all(
      users.map(async (text) => (await byId.verifyConnectToken(await signText(text))).user),
    );
    expect(ids).toEqual(['9007199254740993', '9007199254740992', '1', '']);
  });

  it('expire_at replaces exp as the expiry of the connection, zero means never', async () => {
    expect((await connect({ exp: NOW_S + 10 })).expireAt).toBe(NOW_S + 10);
    expect((await connect({ exp: NOW_S + 10, expire_at: NOW_S + 99 })).expireAt).toBe(NOW_S + 99);
    expect((await connect({ exp: NOW_S + 10, expire_at: 0 })).expireAt).toBe(0);
    expect((await connect({ exp: NOW_S + 10, expire_at: -5 })).expireAt).toBe(0);
  });

  it('claims that only subscription tokens have may hold anything, capabilities that are none grant nothing', async () => {
    const foreign = { client: 5, override: 'x', allow: true, b64data: {}, data: 1, caps: ['admin'] };
    expect(await connect({ sub: '1', ...foreign })).toMatchObject({ user: '1', caps: [] });
  });

  it('a date may be a string that holds a number, an expiry must be written as an integer', async () => {
    expect((await connect({ exp: String(NOW_S + 10), iat: '1' })).expireAt).toBe(NOW_S + 10);
    await expect(connect({ exp: `${NOW_S}` })).rejects.toMatchObject({ code: 'expired' });
    for (const bad of ['', ' 1', '0x10', '1_0', 'Infinity', '01']) {
      await expect(connect({ exp: bad })).rejects.toMatchObject({ code: 'invalid' });
    }
    const key = new TextEncoder().encode('secret');
    const payload = new TextEncoder().encode('{"expire_at":1.9e9}');
    const token = await new CompactSign(payload).setProtectedHeader({ alg: 'HS256' }).sign(key);
    await expect(checked.verifyConnectToken(token)).rejects.toMatchObject({ code: 'invalid' });
  });

  it.each([{ sub: 42 }, { exp: 'soon' }, { expire_at: 1.5 }, { channels: 'a' }, { subs: [] }, { channel: 'a' }])(
    '%j is refused',
    async (claims) => {
      await expect(connect(claims)).rejects.toMatchObject({ code: 'invalid' });
    },
  );

  it('info and meta keep their text, null included; base64 wins', async () => {
    expect(text((await connect({ info: { name: 'Ünal', n: 1 } })).info)).toBe('{"name":"Ünal","n":1}');
    expect(text((await connect({ info: null })).info)).toBe('null');
    expect(text((await connect({ info: 1, b64info: Buffer.from('raw').toString('base64') })).info)).toBe('raw');
    expect(text((await connect({ meta: [1] })).meta)).toBe('[1]');
    await expect(connect({ b64info: '*' })).rejects.toMatchObject({ code: 'internal' });
  });

  it('channels count only without subs', async () => {
    expect((await connect({ channels: ['a', 'b'] })).channels).toEqual(['a', 'b']);
    const both = await connect({
      channels: ['a'],
      subs: { c: { data: { x: 1 }, override: { presence: { value: true } } } },
    });
    expect(both.channels).toEqual([]);
    expect([...both.subs.keys()]).toEqual(['c']);
    expect(text(both.subs.get('c')?.data)).toBe('{"x":1}');
    expect(both.subs.get('c')?.override).toEqual({ presence: { value: true } });
  });

  it('a channel in no namespace is told before bad base64', async () => {
    const code = 'unknown_channel';
    await expect(connect({ channels: ['a', 'zz:a'], b64info: '*' })).rejects.toMatchObject({ code });
    await expect(connect({ subs: { 'zz:a': { b64info: '*' } } })).rejects.toMatchObject({ code });
    await expect(connect({ channels: ['zz:a'], subs: { a: {} }, b64info: '*' })).rejects.toMatchObject({
      code: 'internal',
    });
    const subscription = await sign({ channel: 'zz:a', b64info: '*' });
    await expect(checked.verifySubscribeToken(subscription)).rejects.toMatchObject({ code });
  });

  it('audience and issuer match exactly, a list holds the audience', async () => {
    const strict = await verifier({ ...SECRET, audience: 'app', issuer: 'me' });
    expect((await strict.verifyConnectToken(await sign({ aud: ['x', 'app'], iss: 'me' }))).user).toBe('');
    for (const claims of [{ aud: 'app' }, { iss: 'me' }, { aud: 'App', iss: 'me' }]) {
      await expect(strict.verifyConnectToken(await sign(claims))).rejects.toMatchObject({ code: 'invalid' });
    }
  });

  it('regex rules search, in any audience', async () => {
    const loose = await verifier({ ...SECRET, audienceRegex: '^a', issuerRegex: 'corp' });
    expect((await loose.verifyConnectToken(await sign({ aud: ['x', 'ab'], iss: 'my-corp-1' }))).user).toBe('');
    await expect(loose.verifyConnectToken(await sign({ aud: 'x', iss: 'corp' }))).rejects.toMatchObject({
      code: 'invalid',
    });
  });

  it('another claim may hold the user id', async () => {
    const other = await verifier({ ...SECRET, userIdClaim: 'uid' });
    expect((await other.verifyConnectToken(await sign({ sub: '1', uid: '2' }))).user).toBe('2');
    expect((await other.verifyConnectToken(await sign({ sub: '1', uid: 7 }))).user).toBe('7');
    expect((await other.verifyConnectToken(await sign({ sub: '1' }))).user).toBe('');
  });
});

describe('subscription claims', () => {
  it('a channel is needed, data and info are decoded', async () => {
    const checked = await verifier(SECRET);
    await expect(checked.verifySubscribeToken(await sign({ sub: '1' }))).rejects.toMatchObject({ code: 'invalid' });
    const token = await sign({
      sub: '1',
      channel: 'c',
      client: 'x',
      data: { d: 1 },
      info: 1,
      b64info: 'cmF3',
      allow: ['pub'],
    });
    const claims = await checked.verifySubscribeToken(token);
    expect(claims).toMatchObject({ user: '1', hasUser: true, channel: 'c', client: 'x', allow: ['pub'] });
    expect([text(claims.data), text(claims.info)]).toEqual(['{"d":1}', 'raw']);
  });

  it('claims that only connection tokens have may hold anything', async () => {
    const checked = await verifier(SECRET);
    const token = await sign({ sub: '1', channel: 'c', channels: 'x', subs: [1], caps: 5, meta: 1, allow: 'pub' });
    expect(await checked.verifySubscribeToken(token)).toMatchObject({ user: '1', channel: 'c', allow: [] });
    const bound = await sign({ sub: '1', channel: 'c', client: 5 });
    await expect(checked.verifySubscribeToken(bound)).rejects.toMatchObject({ code: 'invalid' });
  });

  it('separate settings use their own key only', async () => {
    const separate = await verifier(SECRET, { ...NOTHING, hmacSecretKey: 'other' });
    const token = await sign({ sub: '1', channel: 'c' });
    await expect(separate.verifySubscribeToken(token)).rejects.toMatchObject({ code: 'invalid' });
    expect((await separate.verifySubscribeToken(await sign({ sub: '1', channel: 'c' }, 'other'))).channel).toBe('c');
  });
});

import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, SignJWT } from 'jose';
import { describe, expect, onTestFinished, test } from 'vitest';
import { NOW_MS, openTerminal } from '../cli-fixture.ts';
import { checkSubTokenCommand } from './checksubtoken.ts';
import { checkTokenCommand } from './checktoken.ts';
import { genSubTokenCommand } from './gensubtoken.ts';
import { genTokenCommand } from './gentoken.ts';

const NOW = NOW_MS / 1000;
const CONFIG = { config: 'config.json' };
const FILES = { 'config.json': '{"client":{"token":{"hmac_secret_key":"secret"}}}' };

async function sign(claims: Record<string, unknown>, secret = 'secret'): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(new TextEncoder().encode(secret));
}

async function check(token: string, files: Readonly<Record<string, string>> = FILES) {
  const terminal = openTerminal(files);
  return { code: await checkTokenCommand([token], CONFIG, terminal.io), printed: terminal.stdout() };
}

describe('checktoken', () => {
  test('a token of gentoken is valid, for a user and for nobody', async () => {
    for (const [user, whose] of [
      ['123722', 'user 123722'],
      ['', 'anonymous user'],
    ] as const) {
      const made = openTerminal(FILES);
      await genTokenCommand({ ...CONFIG, user, ttl: 60, quiet: true }, made.io);
      const { code, printed } = await check(made.stdout());
      expect(code).toBe(0);
      const [title, payload] = printed.split('\n');
      expect(title).toBe(`valid token for ${whose}`);
      expect(payload).toMatch(/^payload: \{"iat":\d+/);
    }
  });

  test('an expired token is told with its algorithm and its claims', async () => {
    const { code, printed } = await check(await sign({ sub: '7', exp: NOW - 1 }));
    expect(code).toBe(1);
    expect(printed).toBe(
      `error: token with algorithm HS256 and claims {"sub":"7","exp":${NOW - 1}} has error: the token is expired\n`,
    );
  });

  test('the signature is verified although the server would not', async () => {
    const insecure = { client: { insecure_skip_token_signature_verify: true, token: { hmac_secret_key: 'secret' } } };
    const { code, printed } = await check(await sign({ sub: '7' }, 'other'), {
      'config.json': JSON.stringify(insecure),
    });
    expect(code).toBe(1);
    expect(printed).toContain('has error: the signature does not match');
  });

  test('what is no token, and a key that is none, are errors', async () => {
    expect(await check('x')).toEqual({ code: 1, printed: 'error: the token is not a JWT\n' });
    const bad = await check(await sign({}), { 'config.json': '{"client":{"token":{"rsa_public_key":"nonsense"}}}' });
    expect(bad.code).toBe(1);
    expect(bad.printed).toMatch(/^error: .*rsa_public_key/);
  });

  test.each([[[]], [['a', 'b']]])('exactly one token is needed, not %j', async (tokens) => {
    const terminal = openTerminal(FILES);
    expect(await checkTokenCommand(tokens, CONFIG, terminal.io)).toBe(1);
    expect(terminal.stdout()).toBe('error: provide token to check [carillon checktoken <TOKEN>]\n');
  });

  test('keys of a JWKS endpoint are fetched', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const keys = [{ ...(await exportJWK(publicKey)), kid: 'k', use: 'sig' }];
    const server = createServer((_, response) => void response.end(JSON.stringify({ keys })));
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const token = await new SignJWT({ sub: '7' }).setProtectedHeader({ alg: 'ES256', kid: 'k' }).sign(privateKey);
    const config = { client: { token: { jwks_public_endpoint: `http://127.0.0.1:${port}/` } } };
    const { code, printed } = await check(token, { 'config.json': JSON.stringify(config) });
    expect({ code, printed }).toEqual({ code: 0, printed: 'valid token for user 7\npayload: {"sub":"7"}\n' });
  });
});

describe('checksubtoken', () => {
  test('a token of gensubtoken is valid', async () => {
    const made = openTerminal(FILES);
    await genSubTokenCommand({ ...CONFIG, user: '7', channel: 'news', ttl: 60, quiet: true }, made.io);
    const terminal = openTerminal(FILES);
    expect(await checkSubTokenCommand([made.stdout()], CONFIG, terminal.io)).toBe(0);
    expect(terminal.stdout()).toMatch(/^valid subscription token for user "7" and channel "news"\npayload: \{.*\}\n$/);
  });

  test('a connection token is none', async () => {
    const terminal = openTerminal(FILES);
    expect(await checkSubTokenCommand([await sign({ sub: '7' })], CONFIG, terminal.io)).toBe(1);
    expect(terminal.stdout()).toContain('has error: a subscription token must name a channel');
  });

  test('keys of subscription tokens are used where they have their own', async () => {
    const config = {
      client: { token: { hmac_secret_key: 'secret' }, subscription_token: { enabled: true, hmac_secret_key: 'sub' } },
    };
    const files = { 'config.json': JSON.stringify(config) };
    const results = await Promise.all(
      ['secret', 'sub'].map(async (secret) => {
        const { io } = openTerminal(files);
        return checkSubTokenCommand([await sign({ channel: 'a' }, secret)], CONFIG, io);
      }),
    );
    expect(results).toEqual([1, 0]);
  });
});

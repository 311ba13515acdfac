import { decodeJwt, jwtVerify } from 'jose';
import { describe, expect, test } from 'vitest';
import { NOW_MS, openTerminal } from '../cli-fixture.ts';
import { genSubTokenCommand } from './gensubtoken.ts';
import { genTokenCommand } from './gentoken.ts';
import { versionCommand } from './version.ts';

const NOW = NOW_MS / 1000;
const FILES = { 'config.json': '{"client":{"token":{"hmac_secret_key":"secret"}}}' };
const WEEK = { config: 'config.json', ttl: 604_800 };

async function claimsOf(token: string, secret = 'secret'): Promise<unknown> {
  const key = new TextEncoder().encode(secret);
  const { payload } = await jwtVerify(token, key, { algorithms: ['HS256'], currentDate: new Date(NOW_MS) });
  return payload;
}

describe('gentoken', () => {
  test('two lines are printed, the second is a token of the user', async () => {
    const terminal = openTerminal(FILES);
    expect(await genTokenCommand({ ...WEEK, user: '123722' }, terminal.io)).toBe(0);
    const [title, token = '', end] = terminal.stdout().split('\n');
    expect(title).toBe('HMAC SHA-256 JWT for user "123722" with expiration TTL 168h0m0s:');
    expect(end).toBe('');
    expect(await claimsOf(token)).toEqual({ iat: NOW, exp: NOW + 604_800, sub: '123722' });
  });

  test.each([
    ['', 90, 'HMAC SHA-256 JWT for anonymous user with expiration TTL 1m30s:', { iat: NOW, exp: NOW + 90 }],
    ['', 0, 'HMAC SHA-256 JWT for anonymous user with expiration TTL 0s:', { iat: NOW }],
    ['7', -1, 'HMAC SHA-256 JWT for user "7" without expiration:', { iat: NOW, sub: '7' }],
  ])('user %j and TTL %d', async (user, ttl, title, claims) => {
    const terminal = openTerminal(FILES);
    expect(await genTokenCommand({ config: 'config.json', user, ttl }, terminal.io)).toBe(0);
    const [printed, token = ''] = terminal.stdout().split('\n');
    expect(printed).toBe(title);
    expect(decodeJwt(token)).toEqual(claims);
  });

  test('quiet prints the token alone, without a line end', async () => {
    const terminal = openTerminal(FILES);
    await genTokenCommand({ ...WEEK, user: '7', quiet: true }, terminal.io);
    expect(terminal.stdout()).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
  });

  test('a configured claim carries the user too', async () => {
    const env = { CENTRIFUGO_CLIENT_TOKEN_USER_ID_CLAIM: 'uid' };
    const terminal = openTerminal(FILES, env);
    await genTokenCommand({ ...WEEK, user: '7', quiet: true }, terminal.io);
    expect(await claimsOf(terminal.stdout())).toMatchObject({ sub: '7', uid: '7' });
  });

  test('without a file the environment is enough, and without a key it is an error', async () => {
    const terminal = openTerminal({}, { CENTRIFUGO_CLIENT_TOKEN_HMAC_SECRET_KEY: 'other' });
    expect(await genTokenCommand({ ...WEEK, user: '7', quiet: true }, terminal.io)).toBe(0);
    expect(await claimsOf(terminal.stdout(), 'other')).toMatchObject({ sub: '7' });
    const bare = openTerminal();
    expect(await genTokenCommand({ ...WEEK, user: '7' }, bare.io)).toBe(1);
    expect(bare.stdout()).toBe('error: no HMAC secret key set\n');
  });

  test('warnings about older names stay off stdout', async () => {
    const terminal = openTerminal({ 'config.json': '{"token_hmac_secret_key":"secret"}' });
    await genTokenCommand({ ...WEEK, user: '7', quiet: true }, terminal.io);
    expect(await claimsOf(terminal.stdout())).toMatchObject({ sub: '7' });
    expect(terminal.stderr()).toContain('client.token.hmac_secret_key');
  });
});

describe('gensubtoken', () => {
  test('the title names user and channel', async () => {
    const terminal = openTerminal(FILES);
    expect(await genSubTokenCommand({ ...WEEK, user: '123722', channel: 'channel' }, terminal.io)).toBe(0);
    const [title, token = ''] = terminal.stdout().split('\n');
    expect(title).toBe('HMAC SHA-256 JWT for user "123722" and channel "channel" with expiration TTL 168h0m0s:');
    expect(await claimsOf(token)).toEqual({ iat: NOW, exp: NOW + 604_800, sub: '123722', channel: 'channel' });
  });

  test('a channel is required', async () => {
    const terminal = openTerminal(FILES);
    expect(await genSubTokenCommand({ ...WEEK, user: '7', channel: '' }, terminal.io)).toBe(1);
    expect(terminal.stdout()).toBe('channel is required\n');
  });

  test('the key of subscription tokens is used where they have their own', async () => {
    const config = {
      client: { token: { hmac_secret_key: 'secret' }, subscription_token: { enabled: true, hmac_secret_key: 'sub' } },
    };
    const terminal = openTerminal({ 'config.json': JSON.stringify(config) });
    await genSubTokenCommand({ ...WEEK, user: '7', channel: 'a', quiet: true }, terminal.io);
    expect(await claimsOf(terminal.stdout(), 'sub')).toMatchObject({ channel: 'a' });
  });
});

test('version names ours, the compatible one and the runtime', async () => {
  const terminal = openTerminal();
  expect(await versionCommand(terminal.io)).toBe(0);
  expect(terminal.stdout()).toMatch(
    /^Carillon v\d+\.\d+\.\d+ \(compatible with Centrifugo v6\.9\.1, Node version: v\d+/,
  );
});

import { jwtVerify } from 'jose';
import { expect, onTestFinished, test } from 'vitest';
import { NOW_MS, openTerminal } from '../cli-fixture.ts';
import { demoCommand } from './demo-command.ts';

const FILES = { 'config.json': '{"client":{"token":{"hmac_secret_key":"secret"}}}' };
const OPTIONS = { config: 'config.json', port: 0, address: '127.0.0.1' };

async function startDemo() {
  const terminal = openTerminal(FILES);
  const ended = demoCommand(OPTIONS, terminal.io);
  onTestFinished(async () => {
    terminal.interrupt();
    await ended;
  });
  await expect.poll(() => terminal.stdout()).toContain('\n');
  const url = terminal.stdout().match(/http:\S+(?=\/\n)/)?.[0] ?? '';
  return { url, stop: () => (terminal.interrupt(), ended) };
}

test('the page asks the token endpoint, which has a user for each visitor', async () => {
  const { url, stop } = await startDemo();
  const page = await (await fetch(`${url}/`)).text();
  expect(page).toContain('const token = null;');
  expect(page).toContain('"chat:demo"');
  const ask = async () => (await (await fetch(`${url}/demo/token`)).json()) as { user: string; token: string };
  const [one, other] = [await ask(), await ask()];
  expect(one.user).not.toBe(other.user);
  const key = new TextEncoder().encode('secret');
  const { payload } = await jwtVerify(one.token, key, { currentDate: new Date(NOW_MS) });
  expect(payload).toEqual({ sub: one.user, iat: NOW_MS / 1000, exp: NOW_MS / 1000 + 600 });
  expect(await stop()).toBe(0);
});

test('it serves the official client, its health and nothing else', async () => {
  const { url } = await startDemo();
  const status = async (path: string, method = 'GET') => (await fetch(`${url}${path}`, { method })).status;
  expect((await (await fetch(`${url}/demo/centrifuge.js`)).text()).includes('Centrifuge')).toBe(true);
  expect(await status('/health')).toBe(200);
  expect(await status('/demo/token?x=1')).toBe(200);
  expect(await status('/demo/token', 'POST')).toBe(405);
  expect(await status('/../package.json')).toBe(404);
});

test('without a key it says so and ends', async () => {
  const terminal = openTerminal({ 'config.json': '{}' });
  expect(await demoCommand(OPTIONS, terminal.io)).toBe(1);
  expect(terminal.stdout()).toBe('error: no HMAC secret key set\n');
});

import { afterEach, describe, expect, it } from 'vitest';
import { startApi, type RunningApi } from '../../fixture/start-api.ts';

const running: RunningApi[] = [];
afterEach(async () => {
  for (const api of running.splice(0)) await api.close();
});

const ADMIN = { enabled: true, password: 'open', secret: 'sesame' };

async function start(admin: object = ADMIN): Promise<RunningApi> {
  const api = await startApi({ admin });
  running.push(api);
  return api;
}

async function call(api: RunningApi, path: string, init?: RequestInit): Promise<[number, string]> {
  const response = await fetch(api.url + path, init);
  return [response.status, await response.text()];
}

const logIn = (api: RunningApi, body: URLSearchParams | FormData | string) =>
  call(api, '/admin/auth', { method: 'POST', body });

async function tokenOf(api: RunningApi): Promise<string> {
  const [status, text] = await logIn(api, new URLSearchParams({ password: 'open' }));
  expect(status).toBe(200);
  return (JSON.parse(text) as { token: string }).token;
}

const info = (api: RunningApi, headers: Record<string, string> = {}, query = '') =>
  call(api, `/admin/api${query}`, { method: 'POST', headers, body: '{"method":"info","params":{}}' });

describe('admin endpoints (channels-and-config §5.1)', () => {
  it('are absent unless enabled', async () => {
    const api = await start({ ...ADMIN, enabled: false });
    expect(await call(api, '/admin/init')).toEqual([404, '404 page not found\n']);
  });

  it('say how things stand', async () => {
    const api = await start();
    expect(await call(api, '/admin/init')).toEqual([200, '{"authenticated":false,"edition":"oss","insecure":false}\n']);
    const headers = { Authorization: `token ${await tokenOf(api)}` };
    expect(await call(api, '/admin/init', { headers })).toEqual([
      200,
      '{"authenticated":true,"edition":"oss","insecure":false}\n',
    ]);
  });

  it('give a token for the password, in a form of either encoding, and for nothing else', async () => {
    const api = await start();
    const multipart = new FormData();
    multipart.set('password', 'open');
    expect(await logIn(api, multipart)).toEqual([200, expect.stringMatching(/^\{"token":"[^"]+"\}\n$/)]);
    await tokenOf(api);
    for (const body of [new URLSearchParams({ password: 'wrong' }), new URLSearchParams(), 'password=open', '{}']) {
      expect(await logIn(api, body)).toEqual([400, 'Bad Request\n']);
    }
    const large = new URLSearchParams({ password: 'open', more: 'x'.repeat(70_000) });
    expect(await logIn(api, large)).toEqual([400, 'Bad Request\n']);
    expect(await call(api, '/admin/auth')).toEqual([405, '']);
  });

  it('let nobody log in without a password or a secret', async () => {
    for (const missing of [{ password: '' }, { secret: '' }]) {
      const api = await start({ ...ADMIN, ...missing });
      expect(await logIn(api, new URLSearchParams({ password: 'open' }))).toEqual([400, 'Bad Request\n']);
      expect(await logIn(api, new URLSearchParams({ password: '' }))).toEqual([400, 'Bad Request\n']);
      expect(await info(api)).toEqual([401, '']);
    }
  });

  it('run commands for who has the token, one reply a line', async () => {
    const api = await start();
    const token = await tokenOf(api);
    for (const headers of [{}, { Authorization: 'token x' }, { Authorization: `apikey ${token}` }]) {
      expect(await info(api, headers)).toEqual([401, '']);
    }
    const [status, text] = await call(api, '/admin/api', {
      method: 'POST',
      headers: { Authorization: `token ${token}` },
      body: '{"method":"info","params":{}}\n{"method":"presence","params":{"channel":"nope:x"}}',
    });
    expect(status).toBe(200);
    const lines = text.trim().split('\n');
    expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
      { result: { nodes: [{}] } },
      { error: { code: 102 } },
    ]);
    expect((await info(api, {}, `?token=${token}`))[0]).toBe(200);
  });

  it('know a token on every instance with the secret, for thirty days', async () => {
    const [first, second, other] = [await start(), await start(), await start({ ...ADMIN, secret: 'other' })];
    const headers = { Authorization: `token ${await tokenOf(first)}` };
    expect((await info(second, headers))[0]).toBe(200);
    expect((await info(other, headers))[0]).toBe(401);
    await second.clock.advance(31 * 86_400_000);
    expect((await info(second, headers))[0]).toBe(401);
  });

  it('ask nobody for anything when insecure', async () => {
    const api = await start({ enabled: true, insecure: true });
    expect(await call(api, '/admin/init')).toEqual([200, '{"authenticated":true,"edition":"oss","insecure":true}\n']);
    expect((await info(api))[0]).toBe(200);
  });
});

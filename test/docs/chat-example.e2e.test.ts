import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ROOT, carillonNode } from '../harness/checkout.ts';
import { eventually } from '../harness/eventually.ts';
import { freePort } from '../harness/free-port.ts';
import { openOfficialClient, type OfficialClient } from '../harness/official-client.ts';
import { startProcess, type ServerProcess } from '../harness/start-process.ts';
import { readPage } from './pages.ts';

const START_DEADLINE_MS = 90_000;

interface State {
  readonly channel: string;
  readonly messages: readonly { readonly text: string }[];
  readonly since: { readonly offset: number; readonly epoch: string };
}

describe('docs/examples/chat', () => {
  let server: ServerProcess;
  let backend: ChildProcess;
  let client: OfficialClient;
  let url = '';

  beforeAll(async () => {
    server = await startProcess({ command: 'serve', config: JSON.parse(readPage('deploy/dev/config.json')) });
    const port = await freePort();
    url = `http://localhost:${port}`;
    backend = spawn(carillonNode(), [join(ROOT, 'docs/examples/chat/backend.mjs')], {
      env: { ...process.env, PORT: String(port), CARILLON_API: `${server.url}/api` },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (backend.stdout !== null) await once(backend.stdout, 'data');
    const getToken = async (): Promise<string> => {
      const { token } = (await (await fetch(`${url}/token?user=ann`)).json()) as { token: string };
      return token;
    };
    client = openOfficialClient({ url: `${server.url.replace('http', 'ws')}/connection/websocket`, getToken });
    await client.connect();
  }, START_DEADLINE_MS);

  afterAll(async () => {
    client.close();
    backend.kill();
    await server.stop();
  }, START_DEADLINE_MS);

  const say = async (id: string, text: string): Promise<number> => {
    const body = JSON.stringify({ id, user: 'ann', text });
    return (await fetch(`${url}/messages`, { method: 'POST', body })).status;
  };
  const readState = async (): Promise<State> => (await (await fetch(`${url}/messages`)).json()) as State;

  it('a page that subscribes from its state misses nothing, and a repeated message is there once', async () => {
    expect(await say('1', 'before')).toBe(200);
    const state = await readState();
    expect(state).toMatchObject({ channel: 'chat:lobby', messages: [{ text: 'before' }], since: { offset: 1 } });

    expect(await say('2', 'between')).toBe(200);
    const { publications } = await client.subscribe(state.channel, { since: state.since });
    expect(await say('3', 'live')).toBe(200);
    expect(await say('3', 'live')).toBe(200);
    expect(await say('4', 'last')).toBe(200);
    await eventually(() => expect(publications).toHaveLength(3));
    expect(publications).toMatchObject([{ text: 'between' }, { text: 'live' }, { text: 'last' }]);
    expect((await readState()).messages).toHaveLength(4);
  });
});

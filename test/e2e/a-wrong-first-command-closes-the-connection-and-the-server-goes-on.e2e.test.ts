import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Deployment } from '../harness/deployment.ts';
import { DEPLOYMENTS } from '../harness/deployments.ts';
import { openOfficialClient } from '../harness/official-client.ts';
import { RawSocket } from '../harness/raw-socket.ts';
import { probeHealth } from '../harness/start-process.ts';

const FIRST_FRAMES: Readonly<Record<string, string | Uint8Array>> = {
  'a subscribe': '{"id":1,"subscribe":{"channel":"x"}}',
  'a connect without id': '{"connect":{}}',
  'a pong': '{}',
  'no JSON': 'GET / HTTP/1.1',
  'deep JSON': '['.repeat(20_000),
  'a prototype': '{"id":1,"connect":{"__proto__":{"x":1},"subs":{"__proto__":{}}}}',
  'an empty frame': '',
  'random bytes': randomBytes(5_000),
  'no token': '{"id":1,"connect":{}}',
  'an id that is no number': '{"id":"1","connect":{}}',
  'a huge id': '{"id":99999999999999999999,"connect":{}}',
};

describe.each(DEPLOYMENTS)('$kind', ({ start }) => {
  let server: Deployment;

  beforeAll(async () => {
    server = await start({ config: { channel: { without_namespace: { allow_subscribe_for_client: true } } } });
  });
  afterAll(() => server.stop());

  it.each(Object.keys(FIRST_FRAMES))('%s as first frame closes with 3501', async (what) => {
    for (const query of ['', '?cf_protocol=protobuf']) {
      const socket = await RawSocket.open(server.wsUrl() + query);
      socket.send(FIRST_FRAMES[what] ?? '');
      expect(await socket.closed(), query).toEqual({ code: 3501, reason: 'bad request' });
      expect(socket.frames).toEqual([]);
    }
  });

  it('a frame that is too large closes with 1009', async () => {
    const socket = await RawSocket.open(server.wsUrl());
    socket.send('x'.repeat(1_000_000));
    expect([1009, 1006]).toContain((await socket.closed()).code);
  });

  it('bytes that are no HTTP end their connection only', async () => {
    for (const { port } of [...server.gateways, ...server.apis, ...server.authPolicies]) {
      await new Promise<void>((resolve) => {
        const socket = connect(port, '127.0.0.1', () => socket.end(randomBytes(2_000)));
        socket.setTimeout(3_000, () => socket.destroy());
        socket.on('error', () => resolve());
        socket.on('close', () => resolve());
      });
    }
  });

  it('after all of that everything is healthy and serves', async () => {
    for (const { url } of [...server.gateways, ...server.apis, ...server.authPolicies]) {
      expect(await probeHealth(url)).toBe('200 {}');
    }
    const client = openOfficialClient({ url: server.wsUrl(), token: server.token('u') });
    await client.connect();
    await client.subscribe('x');
    client.close();
  });
});

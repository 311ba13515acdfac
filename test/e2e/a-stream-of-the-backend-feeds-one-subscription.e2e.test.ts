import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Deployment } from '../harness/deployment.ts';
import { DEPLOYMENTS } from '../harness/deployments.ts';
import { eventually } from '../harness/eventually.ts';
import { RawClient } from '../harness/raw-client.ts';
import { startStreamBackend, type BackendStream, type StreamBackend } from '../harness/stream-backend.ts';

const bytes = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));

/** Lets everybody in but those who ask for `…:late` and `…:mute`. */
function answer(stream: BackendStream): void {
  const { channel = '' } = stream.request;
  if (channel.endsWith(':late')) return;
  if (channel.endsWith(':mute')) stream.send({ publication: { data: bytes(1) } });
  else stream.send({ subscribeResponse: { result: { data: bytes({ hello: channel }) } } });
}

const configFor = ({ target }: StreamBackend): Record<string, unknown> => ({
  channel: {
    proxy: { subscribe_stream: { endpoint: `grpc://${target}`, timeout: '500ms' } },
    namespaces: [
      { name: 'feed', subscribe_stream_proxy_enabled: true },
      { name: 'hall', subscribe_stream_proxy_enabled: true, join_leave: true, force_push_join_leave: true },
      { name: 'talk', subscribe_stream_proxy_enabled: true, subscribe_stream_proxy_bidirectional: true },
    ],
  },
});

describe.each(DEPLOYMENTS)('$kind', ({ start }) => {
  let backend: StreamBackend;
  let server: Deployment;

  beforeAll(async () => {
    backend = await startStreamBackend(answer);
    server = await start({ config: configFor(backend) });
  });
  afterAll(async () => {
    await server.stop();
    backend.stop();
  });

  async function connected(user = 'ann'): Promise<RawClient> {
    const client = await RawClient.open(server.wsUrl());
    await client.connect({ token: server.token(user) });
    return client;
  }

  async function subscribed(channel: string) {
    const client = await connected();
    const reply = await client.subscribe(channel);
    const stream = backend.streams.at(-1) ?? expect.unreachable('no stream was opened');
    return { client, stream, reply };
  }

  it('publications reach the client that subscribed, in order, and nobody else', async () => {
    const { client: other } = await subscribed('feed:a');
    const { client, stream, reply } = await subscribed('feed:a');
    expect(reply.subscribe).toEqual({ data: { hello: 'feed:a' } });
    expect(stream.request).toMatchObject({ user: 'ann', channel: 'feed:a', transport: 'websocket' });
    stream.send({ publication: { data: bytes(1), tags: { t: 'x' } } });
    stream.send({ publication: { data: bytes(2) } });
    expect(await client.push()).toEqual({ channel: 'feed:a', pub: { data: 1, tags: { t: 'x' } } });
    expect(await client.push()).toEqual({ channel: 'feed:a', pub: { data: 2 } });
    expect(other.pushes).toEqual([]);
  });

  it('what others send to the channel comes too: publications of the server API, joins and leaves', async () => {
    const { client } = await subscribed('hall:a');
    expect(await client.push()).toMatchObject({ channel: 'hall:a', join: { info: { client: client.id } } });
    await server.api('publish', { channel: 'hall:a', data: 3 });
    expect(await client.push()).toMatchObject({ channel: 'hall:a', pub: { data: 3 } });
    const { client: other } = await subscribed('hall:a');
    expect(await client.push()).toMatchObject({ join: { info: { client: other.id } } });
    await other.call({ unsubscribe: { channel: 'hall:a' } });
    expect(await client.push()).toMatchObject({ leave: { info: { client: other.id } } });
    await eventually(async () => {
      expect((await server.api('channels', { pattern: 'hall:a' })).body.result).toEqual({
        channels: { 'hall:a': { num_clients: 1 } },
      });
    });
  });

  it('the end of the stream unsubscribes: 2000 when the backend is done, 2500 when it failed', async () => {
    const done = await subscribed('feed:b');
    done.stream.end();
    expect(await done.client.push()).toMatchObject({ channel: 'feed:b', unsubscribe: { code: 2000 } });
    const failed = await subscribed('feed:b');
    failed.stream.fail(status.INTERNAL);
    expect(await failed.client.push()).toMatchObject({ channel: 'feed:b', unsubscribe: { code: 2500 } });
    expect(await failed.client.subscribe('feed:b')).toMatchObject({ subscribe: {} });
  });

  it('unsubscribing and leaving cancel the stream', async () => {
    const first = await subscribed('feed:c');
    await first.client.call({ unsubscribe: { channel: 'feed:c' } });
    await eventually(() => expect(first.stream.isCancelled()).toBe(true));
    const second = await subscribed('feed:c');
    second.client.socket.close();
    await eventually(() => expect(second.stream.isCancelled()).toBe(true));
    expect(first.client.pushes).toEqual([]);
  });

  it('publications of the client go into a bidirectional stream, and nowhere without one', async () => {
    const talk = await subscribed('talk:a');
    expect(await talk.client.call({ publish: { channel: 'talk:a', data: { n: 1 } } })).toMatchObject({ publish: {} });
    await eventually(() => expect(talk.stream.published).toEqual(['{"n":1}']));
    const feed = await subscribed('feed:d');
    const refused = await feed.client.call({ publish: { channel: 'feed:d', data: {} } });
    expect(refused).toMatchObject({ error: { code: 108 } });
  });

  it('a backend that says nothing in time, or begins with anything but its response, is a temporary error', async () => {
    const client = await connected();
    for (const channel of ['feed:late', 'talk:late', 'feed:mute', 'talk:mute']) {
      expect(await client.subscribe(channel)).toMatchObject({ error: { code: 100, temporary: true } });
    }
    await eventually(() => {
      const unanswered = backend.streams.filter(({ request }) => /:(late|mute)$/.test(request.channel ?? ''));
      expect(unanswered.map((stream) => stream.isCancelled())).toEqual([true, true, true, true]);
    });
  });
});

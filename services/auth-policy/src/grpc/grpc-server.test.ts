import type { Ask, Decision, StreamAsk, StreamListener } from '@carillon/policy';
import { policyMethods, type DecideReply, type DecideRequest } from '@carillon/protocol/cluster';
import type { RpcRequest, RpcResult } from '@carillon/protocol/proxy';
import { createMetrics, createSilentLog } from '@carillon/service-kit';
import { Client, credentials, type ClientDuplexStream } from '@grpc/grpc-js';
import { afterEach, describe, expect, test, vi } from 'vitest';

import { noStream, type BackedStream } from '../decision/backed-stream.ts';
import type { BackendDecisions } from '../decision/decision-maker.ts';
import { createPolicyMetrics } from '../metrics.ts';
import { PolicyServer } from './grpc-server.ts';

type Rpc = (ask: Ask<RpcRequest>) => Promise<Decision<RpcResult>>;

const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
});

/** Decisions of which only rpc is interesting; all others come back empty. */
function decisionsWith(rpc: Rpc): BackendDecisions {
  const none = async (): Promise<Decision<never>> => ({ kind: 'result', result: undefined });
  return {
    connect: none,
    refresh: none,
    subscribe: none,
    publish: none,
    subRefresh: none,
    rpc,
    mapPublish: none,
    mapRemove: none,
    subscribeStream: () => noStream('not here'),
    close: async () => undefined,
  };
}

const echo: Rpc = async ({ message, proxyName, origin }) => ({
  kind: 'error',
  code: 1_000,
  message: `${message.method} ${proxyName} ${origin.headers.get('cookie')?.join()}`,
  temporary: false,
});

async function start(
  rpc: Rpc,
  maxInFlightPerCaller = 10,
  subscribeStream: BackendDecisions['subscribeStream'] = () => noStream('not here'),
) {
  const server = new PolicyServer({
    decisions: { ...decisionsWith(rpc), subscribeStream },
    port: 0,
    address: '127.0.0.1',
    maxInFlightPerCaller,
    log: createSilentLog(),
    metrics: createPolicyMetrics(createMetrics({ prefix: '', withProcessMetrics: false })),
  });
  const port = await server.start();
  opened.push(() => server.close());
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  opened.push(() => client.close());
  return { server, client, port };
}

function openStream(client: Client) {
  const { path, requestSerialize, responseDeserialize } = policyMethods.decide;
  const stream: ClientDuplexStream<DecideRequest, DecideReply> = client.makeBidiStreamRequest(
    path,
    requestSerialize,
    responseDeserialize,
  );
  const replies: DecideReply[] = [];
  const ended = new Promise<string>((resolve) => {
    stream.on('error', (error) => resolve(error.message));
    stream.on('end', () => resolve('end'));
  });
  const until = async (count: number) => {
    while (replies.length < count) await new Promise((resolve) => stream.once('data', resolve));
  };
  stream.on('data', (reply: DecideReply) => replies.push(...(reply.batch ?? [reply])));
  const connected = new Promise((resolve) => stream.once('metadata', resolve));
  return { stream, replies, ended, until, connected };
}

const question = (id: number, method: string): DecideRequest => ({
  id,
  rpc: { context: { proxy: 'one', headers: { cookie: { values: ['a', 'b'] } } }, request: { method } },
});

test('a single question is answered', async () => {
  const { client } = await start(echo);
  const { path, requestSerialize, responseDeserialize } = policyMethods.rpc;
  const reply = await new Promise((resolve, reject) => {
    const { rpc = {} } = question(1, 'm');
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, rpc, (error, reply) =>
      error === null ? resolve(reply) : reject(error),
    );
  });
  expect(reply).toMatchObject({ error: { code: 1_000, message: 'm one a,b' } });
});

test('answers on a stream come as decisions are made, under the ids of their questions', async () => {
  const held = Promise.withResolvers<void>();
  const { client } = await start(async (ask) => {
    if (ask.message.method === 'slow') await held.promise;
    return echo(ask);
  });
  const { stream, replies, until } = openStream(client);
  stream.write(question(1, 'slow'));
  stream.write(question(2, 'fast'));
  stream.write({ id: 3, connect: { request: {} } });
  await until(2);
  expect(replies.map((reply) => reply.id)).toEqual([2, 3]);
  expect(replies[1]).toMatchObject({ connect: { none: {} } });
  held.resolve();
  await until(3);
  expect(replies[2]).toMatchObject({ id: 1, rpc: { error: { message: 'slow one a,b' } } });
});

test('a question without content is a failure, not silence', async () => {
  const { client } = await start(echo);
  const { stream, replies, until } = openStream(client);
  stream.write({ id: 1, rpc: {} });
  stream.write({ id: 2 });
  await until(2);
  expect(replies[0]).toMatchObject({ id: 1, rpc: { error: { message: 'an empty question' } } });
  expect(replies[1]?.id).toBe(2);
});

test('a caller with too many questions in flight gets empty answers for the rest', async () => {
  const { client } = await start(() => new Promise(() => undefined), 2);
  const { stream, replies, until } = openStream(client);
  for (const id of [1, 2, 3, 4]) stream.write(question(id, 'm'));
  await until(2);
  expect(replies.map((reply) => [reply.id, reply.rpc])).toEqual([
    [3, undefined],
    [4, undefined],
  ]);
});

test('draining tells callers to leave, answers what they asked, and takes no new ones', async () => {
  const held = Promise.withResolvers<void>();
  const { server, client } = await start(async (ask) => {
    await held.promise;
    return echo(ask);
  });
  const { stream, replies, until, ended, connected } = openStream(client);
  stream.write(question(1, 'm'));
  await connected;
  const drained = server.drain(new AbortController().signal);
  await until(1);
  expect(replies[0]?.id).toBeUndefined();
  stream.end();
  expect(await openStream(client).ended).toMatch('about to stop');
  held.resolve();
  expect(await ended).toBe('end');
  expect(replies[1]?.id).toBe(1);
  await drained;
});

test('draining ends with its signal though a caller stays', async () => {
  const { server, client } = await start(echo);
  await openStream(client).connected;
  const abort = new AbortController();
  const drained = server.drain(abort.signal);
  abort.abort();
  await drained;
});

test('a port that is taken is an operational error', async () => {
  const { port } = await start(echo);
  const options = {
    decisions: decisionsWith(echo),
    port,
    address: '127.0.0.1',
    maxInFlightPerCaller: 1,
    log: createSilentLog(),
    metrics: createPolicyMetrics(createMetrics({ prefix: '', withProcessMetrics: false })),
  };
  const second = new PolicyServer(options);
  opened.push(() => second.close());
  await expect(second.start()).rejects.toMatchObject({ code: 'policy_server_listen' });
});

describe('subscribe streams of a caller', () => {
  interface Held {
    readonly listener: StreamListener;
    readonly decide: (decision: Decision<object>) => void;
    readonly calls: string[];
  }

  async function startStreams() {
    const held: Held[] = [];
    const subscribeStream = (_ask: StreamAsk, listener: StreamListener): BackedStream => {
      const decided = Promise.withResolvers<Decision<object>>();
      const calls: string[] = [];
      held.push({ listener, decide: decided.resolve, calls });
      return {
        decision: decided.promise,
        publish: async (data) => calls.push(`publish ${Buffer.from(data).toString()}`) > 0,
        close: () => void calls.push('close'),
        pause: () => void calls.push('pause'),
        resume: () => void calls.push('resume'),
      };
    };
    const { client } = await start(echo, 10, subscribeStream);
    return { held, ...openStream(client) };
  }

  const opening = (id: number): DecideRequest => ({ id, subscribeStream: { request: { channel: 'c' } } });
  const heldBy = async (held: readonly Held[], count: number): Promise<Held> => {
    await vi.waitFor(() => expect(held).toHaveLength(count));
    return held[count - 1] ?? expect.unreachable('no stream');
  };

  test('say their decision first, then publications, then their end', async () => {
    const { held, stream, replies, until } = await startStreams();
    stream.write(opening(7));
    const { listener, decide } = await heldBy(held, 1);
    decide({ kind: 'result', result: {} });
    listener.onPublication({ data: Buffer.from('1') });
    await until(2);
    listener.onPublication({ data: Buffer.from('2') });
    listener.onEnd('failed');
    await until(4);
    expect(replies).toMatchObject([
      { id: 7, subscribe: { result: {} } },
      { id: 7, streamPublication: { data: new Uint8Array(Buffer.from('1')) } },
      { id: 7, streamPublication: { data: new Uint8Array(Buffer.from('2')) } },
      { id: 7, streamEnd: { failed: true } },
    ]);
  });

  test('take publications of their clients, and are closed when they are given up', async () => {
    const { held, stream, replies, until } = await startStreams();
    stream.write({ batch: [opening(1), opening(2)] });
    await heldBy(held, 2);
    for (const { decide } of held) decide({ kind: 'result', result: undefined });
    await until(2);
    stream.write({ id: 3, streamPublish: { stream: 2, data: Buffer.from('x') } });
    stream.write({ id: 4, streamPublish: { stream: 99, data: Buffer.from('x') } });
    await until(4);
    expect(replies.slice(2)).toMatchObject([
      { id: 3, publish: { none: {} } },
      { id: 4, publish: { error: { message: 'the stream took no more' } } },
    ]);
    stream.write({ id: 1, streamCancel: {} });
    await vi.waitFor(() => expect(held.map(({ calls }) => calls)).toEqual([['close'], ['publish x']]));
  });

  test('end with the connection of their caller', async () => {
    const { held, stream, until } = await startStreams();
    stream.write(opening(1));
    (await heldBy(held, 1)).decide({ kind: 'result', result: undefined });
    await until(1);
    stream.cancel();
    await vi.waitFor(() => expect(held[0]?.calls).toEqual(['close']));
  });

  test('wait at their backends while the caller reads too slowly', async () => {
    const { held, stream, replies, until } = await startStreams();
    stream.write(opening(1));
    const { listener, decide, calls } = await heldBy(held, 1);
    decide({ kind: 'result', result: undefined });
    await until(1);
    stream.pause();
    const load = Buffer.alloc(100_000);
    let sent = 0;
    while (!calls.includes('pause') && sent < 1_000) {
      listener.onPublication({ data: load });
      sent += 1;
      await new Promise((resolve) => void setImmediate(resolve));
    }
    expect(sent).toBeLessThan(1_000);
    stream.resume();
    await vi.waitFor(() => expect(calls.at(-1)).toBe('resume'));
    await until(sent + 1);
    expect(replies).toHaveLength(sent + 1);
  });
});

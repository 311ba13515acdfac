import type { Ask } from '@carillon/policy';
import { policyMethods, type DecideReply, type DecideRequest } from '@carillon/protocol/cluster';
import { createMetrics, createSilentLog, FakeClock, systemClock } from '@carillon/service-kit';
import { Metadata, Server, ServerCredentials, status, type ServerDuplexStream } from '@grpc/grpc-js';
import { afterEach, describe, expect, test, vi } from 'vitest';

import { createGrpcPolicy, type GrpcPolicyOptions } from './grpc-policy.ts';

const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
});

type Stream = ServerDuplexStream<DecideRequest, DecideReply>;

interface Instance {
  readonly address: string;
  readonly port: number;
  readonly streams: Stream[];
  readonly questions: DecideRequest[];
  stop(): void;
}

const echo = (stream: Stream, request: DecideRequest): void => {
  stream.write({ id: request.id, rpc: { error: { code: 1_000, message: request.rpc?.request?.method ?? '' } } });
};

/** An auth-policy that answers questions of its stream as told. */
async function startInstance(answer: typeof echo = echo, port = 0, ip = '127.0.0.1'): Promise<Instance> {
  const streams: Stream[] = [];
  const questions: DecideRequest[] = [];
  const server = new Server();
  server.addService(policyMethods, {
    decide: (stream: Stream) => {
      streams.push(stream);
      stream.sendMetadata(new Metadata());
      stream.on('data', (request: DecideRequest) => {
        for (const question of request.batch ?? [request]) {
          questions.push(question);
          answer(stream, question);
        }
      });
      stream.on('error', () => undefined);
      stream.on('end', () => stream.end());
    },
  });
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${ip}:${port}`, ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  const stop = (): void => server.forceShutdown();
  opened.push(stop);
  return { address: `${ip}:${bound}`, port: bound, streams, questions, stop };
}

function createPolicy(instances: readonly Instance[], options: Partial<GrpcPolicyOptions> = {}) {
  const metrics = createMetrics({ prefix: '', withProcessMetrics: false });
  const policy = createGrpcPolicy({
    addresses: instances.map((instance) => instance.address),
    maxInFlight: 100,
    deadlineMs: 2_000,
    log: createSilentLog(),
    metrics,
    random: () => 0,
    ...options,
  });
  opened.push(() => policy.close());
  return policy;
}

const ask = (method: string): Ask<object> => ({
  message: { method },
  proxyName: 'default',
  origin: { headers: new Map([['cookie', ['a']]]), emulatedHeaders: {} },
});

test('answers find their questions, in any order', async () => {
  const held: (() => void)[] = [];
  const instance = await startInstance((stream, request) => {
    held.push(() => echo(stream, request));
    if (held.length === 3) for (const release of held.toReversed()) release();
  });
  const policy = createPolicy([instance]);
  const decisions = await Promise.all(['a', 'b', 'c'].map((method) => policy.rpc(ask(method))));
  expect(decisions.map((decision) => decision.kind === 'error' && decision.message)).toEqual(['a', 'b', 'c']);
  expect(instance.streams).toHaveLength(1);
  expect(instance.questions[0]).toMatchObject({
    rpc: { context: { proxy: 'default', headers: { cookie: { values: ['a'] } }, deadlineMs: 2_000 } },
  });
});

test('each kind of question travels in its own field', async () => {
  const kinds = ['connect', 'refresh', 'subscribe', 'publish', 'subRefresh', 'rpc', 'mapPublish', 'mapRemove'] as const;
  const instance = await startInstance((stream, request) => {
    const kind = kinds.find((kind) => request[kind] !== undefined) ?? 'rpc';
    stream.write({ id: request.id, [kind]: { disconnect: { code: 4_500, reason: kind } } });
  });
  const policy = createPolicy([instance]);
  for (const kind of kinds) {
    expect(await policy[kind](ask('m'))).toEqual({ kind: 'disconnect', code: 4_500, reason: kind });
  }
});

test('questions spread over the instances that have the fewest in flight', async () => {
  const silent = (): void => undefined;
  const instances = [await startInstance(silent), await startInstance(silent)];
  const policy = createPolicy(instances, { deadlineMs: 200 });
  await vi.waitFor(() => expect(instances.every((instance) => instance.streams.length === 1)).toBe(true));
  await Promise.all(Array.from({ length: 10 }, () => policy.rpc(ask('m'))));
  // Which of the two connects first is chance; from then on they share.
  const counts = instances.map((instance) => instance.questions.length);
  expect(counts[0] ?? 0).toBeGreaterThan(0);
  expect((counts[0] ?? 0) + (counts[1] ?? 0)).toBe(10);
});

test('a question without an answer fails at its deadline', async () => {
  const instance = await startInstance(() => undefined);
  const policy = createPolicy([instance], { deadlineMs: 50 });
  await vi.waitFor(() => expect(instance.streams).toHaveLength(1), 10_000);
  const startedAt = systemClock.monotonic();
  expect(await policy.rpc(ask('m'))).toEqual({ kind: 'failed', reason: 'auth-policy did not answer in time' });
  expect(systemClock.monotonic() - startedAt).toBeLessThan(1_000);
});

test('questions beyond the bound fail at once', async () => {
  const instance = await startInstance(() => undefined);
  const policy = createPolicy([instance], { maxInFlight: 2, deadlineMs: 100 });
  const waiting = [policy.rpc(ask('a')), policy.rpc(ask('b'))];
  expect(await policy.rpc(ask('c'))).toMatchObject({ kind: 'failed', reason: expect.stringMatching('too many') });
  await Promise.all(waiting);
  expect(instance.questions).toHaveLength(2);
});

test('questions in flight fail when the stream breaks, and later ones find the instance again', async () => {
  const instance = await startInstance((stream, request) => {
    if (request.rpc?.request?.method === 'die') stream.emit('error', { code: status.INTERNAL, details: 'dead' });
    else echo(stream, request);
  });
  const policy = createPolicy([instance]);
  expect(await policy.rpc(ask('die'))).toMatchObject({ kind: 'failed', reason: 'the stream to auth-policy broke' });
  expect(await policy.rpc(ask('again'))).toMatchObject({ kind: 'error', message: 'again' });
});

test('an instance that comes back is used again', async () => {
  const first = await startInstance();
  const policy = createPolicy([first]);
  expect(await policy.rpc(ask('a'))).toMatchObject({ kind: 'error' });
  first.stop();
  await vi.waitFor(() => expect(policy.isReady()).toBe(false));
  await startInstance(echo, first.port);
  await vi.waitFor(() => expect(policy.isReady()).toBe(true), { timeout: 5_000 });
  expect(await policy.rpc(ask('b'))).toMatchObject({ kind: 'error', message: 'b' });
});

test('the other instance serves when one is gone', async () => {
  const [first, second] = [await startInstance(), await startInstance()];
  const policy = createPolicy([first, second]);
  await vi.waitFor(() => expect([first, second].every(({ streams }) => streams.length === 1)).toBe(true));
  first.stop();
  await vi.waitFor(async () => expect(await policy.rpc(ask('a'))).toMatchObject({ kind: 'error' }));
  expect(await policy.rpc(ask('b'))).toMatchObject({ kind: 'error', message: 'b' });
});

test('without any instance a question fails closed, within a bounded time', async () => {
  const instance = await startInstance();
  instance.stop();
  const policy = createPolicy([instance], { deadlineMs: 100 });
  expect(await policy.rpc(ask('a'))).toEqual({ kind: 'failed', reason: 'no instance of auth-policy is there' });
});

test('an instance that is about to stop answers what it was asked and gets nothing new', async () => {
  const held: (() => void)[] = [];
  const stopping = await startInstance((stream, request) => void held.push(() => echo(stream, request)));
  const policy = createPolicy([stopping]);
  const asked = policy.rpc(ask('old'));
  await vi.waitFor(() => expect(held).toHaveLength(1));
  stopping.streams[0]?.write({});
  await vi.waitFor(() => expect(policy.isReady()).toBe(false));
  held[0]?.();
  expect(await asked).toMatchObject({ kind: 'error', message: 'old' });
  expect(stopping.questions).toHaveLength(1);
  await vi.waitFor(() => expect(stopping.streams[0]?.writableEnded).toBe(true));
});

test('closing fails what waits and stops reconnecting', async () => {
  const instance = await startInstance(() => undefined);
  const policy = createPolicy([instance]);
  await vi.waitFor(() => expect(policy.isReady()).toBe(true));
  const asked = policy.rpc(ask('a'));
  await policy.close();
  expect(await asked).toMatchObject({ kind: 'failed' });
  expect(await policy.rpc(ask('b'))).toMatchObject({ kind: 'failed' });
});

test('answers that nobody waits for are ignored', async () => {
  const instance = await startInstance((stream, request) => {
    stream.write({ id: 4_711, rpc: { none: {} } });
    echo(stream, request);
    echo(stream, request);
  });
  const policy = createPolicy([instance]);
  expect(await policy.rpc(ask('a'))).toMatchObject({ message: 'a' });
  expect(await policy.rpc(ask('b'))).toMatchObject({ message: 'b' });
});

test('a name reaches all instances that it stands for, and follows them', async () => {
  // All of loopback is there: instances differ in their addresses alone, as pods do.
  const first = await startInstance(echo, 0, '127.0.0.1');
  const second = await startInstance(echo, first.port, '127.0.0.2');
  let ips = ['127.0.0.1', '127.0.0.2'];
  const policy = createPolicy([], { addresses: [`auth-policy:${first.port}`], lookup: async () => ips });
  await vi.waitFor(() => expect([first, second].every(({ streams }) => streams.length === 1)).toBe(true));
  const third = await startInstance(echo, first.port, '127.0.0.3');
  ips = ['127.0.0.2', '127.0.0.3'];
  // A lost connection is a reason to look again, long before the next look is due.
  second.streams[0]?.emit('error', { code: status.INTERNAL, details: 'dead' });
  await vi.waitFor(() => expect(third.streams).toHaveLength(1), { timeout: 4_000 });
  await vi.waitFor(() => expect(first.streams[0]?.cancelled).toBe(true));
  const decisions = await Promise.all(Array.from({ length: 10 }, () => policy.rpc(ask('a'))));
  expect(decisions.every(({ kind }) => kind === 'error')).toBe(true);
  expect(first.questions).toEqual([]);
});

test('an instance that left its name still answers what it was asked', async () => {
  const held: (() => void)[] = [];
  const leaving = await startInstance((stream, request) => void held.push(() => echo(stream, request)));
  const other = await startInstance(echo, leaving.port, '127.0.0.2');
  const clock = new FakeClock();
  let ips = ['127.0.0.1'];
  const addresses = [`a:${leaving.port}`];
  const policy = createPolicy([], { addresses, lookup: async () => ips, clock, deadlineMs: 60_000 });
  await vi.waitFor(() => expect(policy.isReady()).toBe(true));
  const asked = policy.rpc(ask('old'));
  await vi.waitFor(() => expect(held).toHaveLength(1));
  ips = ['127.0.0.2'];
  await clock.advance(5_000);
  await vi.waitFor(() => expect(other.streams).toHaveLength(1));
  expect(await policy.rpc(ask('new'))).toMatchObject({ message: 'new' });
  held[0]?.();
  expect(await asked).toMatchObject({ message: 'old' });
  await vi.waitFor(() => expect(leaving.streams[0]?.cancelled).toBe(true));
});

test('a name that does not resolve fails questions, and serves them once it does', async () => {
  const instance = await startInstance();
  let isThere = false;
  const lookup = async (): Promise<readonly string[]> => {
    if (!isThere) throw new Error('ENOTFOUND');
    return ['127.0.0.1'];
  };
  const policy = createPolicy([], { addresses: [`a:${instance.port}`], lookup, deadlineMs: 100 });
  expect(await policy.rpc(ask('a'))).toEqual({ kind: 'failed', reason: 'no instance of auth-policy is there' });
  isThere = true;
  await vi.waitFor(() => expect(policy.isReady()).toBe(true), { timeout: 3_000 });
  expect(await policy.rpc(ask('b'))).toMatchObject({ message: 'b' });
});

test('questions of one turn travel together', async () => {
  const messages: DecideRequest[] = [];
  const instance = await startInstance((stream, request) => {
    messages.push(request);
    echo(stream, request);
  });
  const policy = createPolicy([instance]);
  await vi.waitFor(() => expect(policy.isReady()).toBe(true));
  const received = new Promise<DecideRequest>((resolve) => instance.streams[0]?.once('data', resolve));
  await Promise.all(['a', 'b', 'c'].map((method) => policy.rpc(ask(method))));
  expect((await received).batch).toHaveLength(3);
});

test('a question that cannot be encoded fails alone', async () => {
  const policy = createPolicy([await startInstance()], { deadlineMs: 1_000.5 });
  await vi.waitFor(() => expect(policy.isReady()).toBe(true));
  expect(await policy.rpc(ask('a'))).toEqual({ kind: 'failed', reason: 'the question cannot be encoded' });
  expect(policy.isReady()).toBe(true);
});

describe('a subscribe stream', () => {
  /** An instance that lets streams in, and says what they are told. */
  const openStreams = (stream: Stream, request: DecideRequest): void => {
    const { id, subscribeStream, streamPublish } = request;
    if (subscribeStream !== undefined) stream.write({ id, subscribe: { result: {} } });
    else if (streamPublish !== undefined) stream.write({ id, publish: { none: {} } });
    else if (request.streamCancel === undefined) echo(stream, request);
  };
  const streamAsk = { ...ask(''), message: { channel: 'c' }, isBidirectional: true };
  const listening = () => {
    const heard: string[] = [];
    const onPublication = ({ data }: { data?: Uint8Array | undefined }): void =>
      void heard.push(Buffer.from(data ?? []).toString());
    return { heard, onPublication, onEnd: (end: string): void => void heard.push(end) };
  };
  const say = (instance: Instance, reply: DecideReply): void => {
    instance.streams[0]?.write(reply);
  };

  test('shares the connection with questions and other streams, each under its id', async () => {
    const instance = await startInstance(openStreams);
    const policy = createPolicy([instance]);
    const [first, second] = [listening(), listening()];
    const streams = [policy.subscribeStream(streamAsk, first), policy.subscribeStream(streamAsk, second)];
    for (const { decision } of streams) expect(await decision).toMatchObject({ kind: 'result' });
    const [one, two] = instance.questions;
    say(instance, {
      batch: [
        { id: two?.id, streamPublication: { data: Buffer.from('2') } },
        { id: two?.id, streamEnd: {} },
      ],
    });
    say(instance, { id: one?.id, streamPublication: { data: Buffer.from('1') } });
    expect(await policy.rpc(ask('m'))).toMatchObject({ message: 'm' });
    expect([first.heard, second.heard]).toEqual([['1'], ['2', 'completed']]);
    expect(instance.streams).toHaveLength(1);
    expect(instance.questions[0]).toMatchObject({
      subscribeStream: { bidirectional: true, request: { channel: 'c' } },
    });
    await expect(streams[0]?.publish(Buffer.from('x'))).resolves.toBe(true);
    await expect(streams[1]?.publish(Buffer.from('x'))).resolves.toBe(false);
  });

  test('is opened where there are fewest, and questions one after the other go round', async () => {
    const instances = [await startInstance(openStreams), await startInstance(openStreams)];
    const policy = createPolicy(instances);
    const counts = () => instances.map(({ questions }) => questions.splice(0).length);
    await vi.waitFor(async () => {
      await policy.rpc(ask('m'));
      expect(instances.every(({ questions }) => questions.length > 0)).toBe(true);
    });
    counts();
    for (let asked = 0; asked < 6; asked++) await policy.rpc(ask('m'));
    expect(counts()).toEqual([3, 3]);
    for (let opened = 0; opened < 6; opened++) await policy.subscribeStream(streamAsk, listening()).decision;
    expect(counts()).toEqual([3, 3]);
  });

  test('is cancelled over there when it is closed, and tells nothing more', async () => {
    const instance = await startInstance(openStreams);
    const policy = createPolicy([instance]);
    const { heard, ...listener } = listening();
    const stream = policy.subscribeStream(streamAsk, listener);
    await stream.decision;
    stream.close();
    await vi.waitFor(() => expect(instance.questions.at(-1)?.streamCancel).toEqual({}));
    say(instance, { id: instance.questions[0]?.id, streamPublication: { data: Buffer.from('1') } });
    await policy.rpc(ask('m'));
    expect(heard).toEqual([]);
  });

  test('closed before an instance is there is never opened', async () => {
    const instance = await startInstance(openStreams);
    const policy = createPolicy([instance]);
    const stream = policy.subscribeStream(streamAsk, listening());
    stream.close();
    expect(await stream.decision).toMatchObject({ kind: 'failed' });
    await policy.rpc(ask('m'));
    expect(instance.questions.map(({ subscribeStream }) => subscribeStream)).toEqual([undefined]);
  });

  test('without a decision in time fails and is cancelled', async () => {
    const instance = await startInstance(() => undefined);
    const policy = createPolicy([instance], { deadlineMs: 100 });
    const stream = policy.subscribeStream(streamAsk, listening());
    expect(await stream.decision).toMatchObject({ kind: 'failed' });
    await vi.waitFor(() => expect(instance.questions.at(-1)?.streamCancel).toEqual({}));
  });

  test.each([
    ['breaks', (stream: Stream) => stream.emit('error', { code: status.INTERNAL, details: 'dead' })],
    ['is about to stop', (stream: Stream) => stream.write({})],
  ])('fails when its instance %s', async (_title, trouble) => {
    const instance = await startInstance(openStreams);
    const policy = createPolicy([instance]);
    const { heard, ...listener } = listening();
    await policy.subscribeStream(streamAsk, listener).decision;
    for (const stream of instance.streams) trouble(stream);
    await vi.waitFor(() => expect(heard).toEqual(['failed']));
  });
});

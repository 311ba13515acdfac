import type { ProxyConfig } from '@carillon/config';
import type { StreamAsk, StreamEnding } from '@carillon/policy';
import { status } from '@grpc/grpc-js';
import { afterEach, describe, expect, test, vi } from 'vitest';

import { decisionsOf, NO_ORIGIN, type DecisionFixture } from '../fixture/decision-fixture.ts';
import { letsIn, startStreamFixture, type StreamAnswer, type StreamFixture } from '../fixture/stream-fixture.ts';

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((resource) => resource.close()));
});

async function start(
  answer: StreamAnswer,
  proxy: Partial<ProxyConfig> = {},
): Promise<{ backend: StreamFixture; decisions: DecisionFixture }> {
  const backend = await startStreamFixture(answer);
  const decisions = decisionsOf({ endpoint: `grpc://${backend.target}`, ...proxy });
  opened.push(decisions, backend);
  return { backend, decisions };
}

const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString();
const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);

/** What a client of a stream gets, in order. */
class Listening {
  readonly publications: string[] = [];
  readonly ends: StreamEnding[] = [];
  onPublication({ data }: { data?: Uint8Array | undefined }): void {
    this.publications.push(text(data));
  }
  onEnd(end: StreamEnding): void {
    this.ends.push(end);
  }
}

const ask = (change: Partial<StreamAsk> = {}): StreamAsk => ({
  message: { client: 'c1', transport: 'websocket', protocol: 'json', user: '42', channel: 'stocks' },
  proxyName: 'default',
  origin: NO_ORIGIN,
  isBidirectional: false,
  ...change,
});

describe.each([
  [false, 'subscribeUnidirectional'],
  [true, 'subscribeBidirectional'],
] as const)('a stream that is bidirectional: %s', (isBidirectional, method) => {
  test(`asks ${method} as a subscribe is asked, headers included`, async () => {
    const { backend, decisions } = await start(letsIn(), { httpHeaders: ['Cookie'] });
    const origin = { headers: new Map([['cookie', ['a=1']]]), emulatedHeaders: {} };
    const stream = decisions.subscribeStream(ask({ isBidirectional, origin }), new Listening());
    expect(await stream.decision).toMatchObject({ kind: 'result', result: {} });
    expect(backend.streams[0]).toMatchObject({
      method,
      request: { client: 'c1', channel: 'stocks', encoding: 'json' },
    });
    expect(backend.streams[0]?.metadata.get('cookie')).toEqual(['a=1']);
    stream.close();
  });

  test('gives publications in their order, messages without one are nothing', async () => {
    const { decisions } = await start(
      letsIn((stream) => {
        stream.send({ publication: { data: bytes('1') } });
        stream.send({});
        stream.send({ publication: { data: bytes('2') } });
        stream.end();
      }),
    );
    const listening = new Listening();
    await decisions.subscribeStream(ask({ isBidirectional }), listening).decision;
    await vi.waitFor(() => expect(listening.ends).toEqual(['completed']));
    expect(listening.publications).toEqual(['1', '2']);
  });

  test('that the backend fails has failed', async () => {
    const { decisions } = await start(letsIn((stream) => stream.fail(status.INTERNAL)));
    const listening = new Listening();
    await decisions.subscribeStream(ask({ isBidirectional }), listening).decision;
    await vi.waitFor(() => expect(listening.ends).toEqual(['failed']));
  });

  test('whose backend dies has failed', async () => {
    const { backend, decisions } = await start(letsIn());
    const listening = new Listening();
    await decisions.subscribeStream(ask({ isBidirectional }), listening).decision;
    backend.close();
    await vi.waitFor(() => expect(listening.ends).toEqual(['failed']));
  });

  test('is cancelled at the backend when it is closed, and says nothing more', async () => {
    const { backend, decisions } = await start(letsIn());
    const listening = new Listening();
    const stream = decisions.subscribeStream(ask({ isBidirectional }), listening);
    await stream.decision;
    stream.close();
    await vi.waitFor(() => expect(backend.streams[0]?.isCancelled()).toBe(true));
    expect(listening.ends).toEqual([]);
  });

  test('that is not opened in time fails and is cancelled', async () => {
    const { backend, decisions } = await start(() => undefined, { timeoutMs: 500 });
    const listening = new Listening();
    const stream = decisions.subscribeStream(ask({ isBidirectional }), listening);
    expect(await stream.decision).toMatchObject({ kind: 'failed', reason: expect.stringMatching('timeout') });
    await vi.waitFor(() => expect(backend.streams[0]?.isCancelled()).toBe(true));
    expect(listening.ends).toEqual([]);
  });

  test.each<[string, StreamAnswer]>([
    ['begins with a publication', (stream) => stream.send({ publication: { data: bytes('1') } })],
    ['ends without a response', (stream) => stream.end()],
    ['fails at once', (stream) => stream.fail(status.UNIMPLEMENTED)],
  ])('of a backend that %s is a failure', async (_title, answer) => {
    const { decisions } = await start(answer);
    const listening = new Listening();
    const stream = decisions.subscribeStream(ask({ isBidirectional }), listening);
    expect(await stream.decision).toMatchObject({ kind: 'failed' });
    expect([listening.publications, listening.ends]).toEqual([[], []]);
  });

  test('can be refused, temporary or not, and is cancelled then', async () => {
    const error = { code: 1000, message: 'no', temporary: true };
    const { backend, decisions } = await start((stream) => stream.send({ subscribeResponse: { error } }));
    const listening = new Listening();
    const { decision } = decisions.subscribeStream(ask({ isBidirectional }), listening);
    expect(await decision).toEqual({ kind: 'error', code: 1000, message: 'no', temporary: false });
    await vi.waitFor(() => expect(backend.streams[0]?.isCancelled()).toBe(true));
    expect(listening.ends).toEqual([]);
  });

  test('given up before it is open is cancelled', async () => {
    const { backend, decisions } = await start(() => undefined);
    const stream = decisions.subscribeStream(ask({ isBidirectional }), new Listening());
    await vi.waitFor(() => expect(backend.streams).toHaveLength(1));
    stream.close();
    expect(await stream.decision).toMatchObject({ kind: 'failed' });
    await vi.waitFor(() => expect(backend.streams[0]?.isCancelled()).toBe(true));
  });

  test('that is paused leaves what follows at the backend until it resumes', async () => {
    const load = bytes('x'.repeat(100_000));
    let sent = 0;
    const { decisions } = await start(
      letsIn((stream) => {
        const pour = (): void => {
          let isTaken = true;
          for (; sent < 200 && isTaken; sent += 1) isTaken = stream.send({ publication: { data: load } });
          if (sent < 200) stream.onceWritable(pour);
        };
        pour();
      }),
    );
    const listening = new Listening();
    const stream = decisions.subscribeStream(ask({ isBidirectional }), listening);
    stream.pause();
    await stream.decision;
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(listening.publications.length).toBeLessThan(3);
    expect(sent).toBeLessThan(150);
    stream.resume();
    await vi.waitFor(() => expect(listening.publications).toHaveLength(200), { timeout: 5_000 });
    stream.close();
  });
});

describe("a client's publication", () => {
  test('goes into a bidirectional stream', async () => {
    const { backend, decisions } = await start(letsIn());
    const stream = decisions.subscribeStream(ask({ isBidirectional: true }), new Listening());
    await stream.decision;
    expect(await stream.publish(bytes('"hi"'))).toBe(true);
    await vi.waitFor(() => expect(backend.streams[0]?.published.map(text)).toEqual(['"hi"']));
    stream.close();
    expect(await stream.publish(bytes('late'))).toBe(false);
  });

  test('has no place in a unidirectional stream', async () => {
    const { decisions } = await start(letsIn());
    const stream = decisions.subscribeStream(ask(), new Listening());
    await stream.decision;
    expect(await stream.publish(bytes('"hi"'))).toBe(false);
    stream.close();
  });
});

test('an endpoint that speaks HTTP, or that is not there, has no streams', async () => {
  const overHttp = decisionsOf({ endpoint: 'http://127.0.0.1:1' });
  opened.push(overHttp);
  const decide = (proxyName: string) => overHttp.subscribeStream(ask({ proxyName }), new Listening()).decision;
  expect(await decide('default')).toMatchObject({ kind: 'failed' });
  expect(await decide('unknown')).toMatchObject({ kind: 'failed', reason: expect.stringMatching('no proxy') });
});

import { jsonCodec, protobufCodec } from '@carillon/protocol/client';
import { afterEach, describe, expect, it } from 'vitest';
import { connectWs } from '../fixture/ws-client.ts';
import { eventually, openRaw, textFrame, upgradeRequest } from '../fixture/raw-client.ts';
import { WsConnection } from './ws-connection.ts';
import { bytes, type ScriptedSession, startEdge, type TestEdge, type TestEdgeOptions } from '../fixture/start-edge.ts';

let edge: TestEdge | undefined;
afterEach(() => edge?.close());

const PATH = '/connection/websocket';

async function start(options?: TestEdgeOptions): Promise<TestEdge> {
  edge = await startEdge(options);
  return edge;
}

const numbers = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => String(from + index));

describe('batches of a WebSocket', () => {
  it('join at most 16 messages per frame, in order, with newlines in JSON', async () => {
    const { wsUrl } = await start({
      onFrame: ({ socket }) => socket.batch(() => numbers(1, 35).forEach((message) => socket.send(bytes(message)))),
    });
    const client = connectWs(wsUrl + PATH);
    await client.opened;
    client.socket.send('x');
    expect(await client.received(3)).toEqual([
      numbers(1, 16).join('\n'),
      numbers(17, 32).join('\n'),
      numbers(33, 35).join('\n'),
    ]);
  });

  it('concatenate messages in Protobuf', async () => {
    const { wsUrl } = await start({
      onFrame: ({ socket }) =>
        socket.batch(() => {
          socket.send(Uint8Array.of(1, 7));
          socket.send(Uint8Array.of(1, 8));
        }),
    });
    const client = connectWs(`${wsUrl}${PATH}?cf_protocol=protobuf`);
    await client.opened;
    client.socket.send('x');
    expect(await client.received(1)).toEqual([Uint8Array.of(1, 7, 1, 8)]);
  });

  it('may be nested, also outside of events of the socket', async () => {
    const { wsUrl, sessions } = await start();
    const client = connectWs(wsUrl + PATH);
    await client.opened;
    const socket = sessions[0]?.socket;
    socket?.batch(() => {
      socket.send(bytes('a'));
      socket.batch(() => socket.send(bytes('b')));
      socket.send(bytes('c'));
    });
    socket?.send(bytes('d'));
    expect(await client.received(1)).toEqual(['a\nb\nc\nd']);
  });

  it('are made of what is sent in one turn of the event loop, too', async () => {
    const { wsUrl, sessions } = await start();
    const client = connectWs(wsUrl + PATH);
    await client.opened;
    const socket = sessions[0]?.socket;
    for (const message of numbers(1, 17)) socket?.send(bytes(message));
    await client.received(2);
    socket?.send(bytes('18'));
    socket?.send(new Uint8Array(20_000).fill(0x61));
    socket?.send(bytes('19'));
    expect(await client.received(4)).toEqual([numbers(1, 16).join('\n'), '17', `18\n${'a'.repeat(20_000)}`, '19']);
  });

  it('are sent before a close inside of them, which happens when they end', async () => {
    const { wsUrl, sessions } = await start();
    const client = connectWs(wsUrl + PATH);
    await client.opened;
    const socket = sessions[0]?.socket;
    socket?.batch(() => {
      socket.send(bytes('a'));
      socket.close(3000 + 503, 'force disconnect');
      socket.send(bytes('b'));
      expect(sessions[0]?.closeCount).toBe(0);
    });
    expect(sessions[0]?.closeCount).toBe(1);
    expect(await client.closed).toEqual({ code: 3503, reason: 'force disconnect' });
    expect(client.messages).toEqual(['a']);
  });

  it('survive a drop inside of them', async () => {
    const { wsUrl, sessions } = await start();
    const client = connectWs(wsUrl + PATH);
    await client.opened;
    const socket = sessions[0]?.socket;
    socket?.batch(() => {
      socket.drop();
      socket.send(bytes('b'));
    });
    expect((await client.closed).code).toBe(1006);
    expect(sessions[0]?.closeCount).toBe(1);
  });

  it('send what they have and end when the caller throws', async () => {
    const { wsUrl, sessions } = await start();
    const client = connectWs(wsUrl + PATH);
    await client.opened;
    const socket = sessions[0]?.socket;
    expect(() =>
      socket?.batch(() => {
        socket.send(bytes('a'));
        throw new Error('a bug');
      }),
    ).toThrow('a bug');
    socket?.send(bytes('b'));
    expect(await client.received(1)).toEqual(['a\nb']);
  });
});

describe('a WebSocket whose queue was too long', () => {
  it('gets nothing after what was dropped, although there is room again in the same turn', async () => {
    const { wsUrl, sessions, server } = await start();
    const client = connectWs(wsUrl + PATH);
    await client.opened;
    const [session] = sessions;
    if (!(session?.socket instanceof WsConnection)) throw new Error('no WebSocket');
    session.socket.subscribe('t');
    session.socket.subscribe('u');
    session.socket.overflow();
    server.publisher.publish('u', bytes('1'), { form: 'json', frameType: 'push_publication', receivers: 1 });
    session.socket.drain();
    server.publisher.publish('t', bytes('1'), { form: 'json', frameType: 'push_publication', receivers: 1 });
    expect((await client.closed).code).toBe(3008);
    expect(client.messages).toEqual([]);
    expect(session.slowCount).toBe(1);
  });
});

describe('topics of a WebSocket', () => {
  it('bring each subscriber one frame a message, text or binary', async () => {
    const { wsUrl, sessions, server } = await start();
    const json = connectWs(wsUrl + PATH);
    const protobuf = connectWs(`${wsUrl}${PATH}?cf_protocol=protobuf`);
    const other = connectWs(wsUrl + PATH);
    await Promise.all([json.opened, protobuf.opened, other.opened]);
    for (const { socket } of sessions) {
      if (socket.traits.encoding === 'protobuf') socket.subscribe('p');
      else socket.subscribe(sessions[0]?.socket === socket ? 'j' : 'k');
    }
    server.publisher.publish('j', bytes('1'), { form: 'json', frameType: 'push_publication', receivers: 1 });
    server.publisher.publish('k', bytes('1'), { form: 'json', frameType: 'push_publication', receivers: 1 });
    server.publisher.publish('p', Uint8Array.of(1), { form: 'protobuf', frameType: 'push_publication', receivers: 1 });
    expect(await json.received(1)).toEqual(['1']);
    expect(await protobuf.received(1)).toEqual([Uint8Array.of(1)]);
    expect(await other.received(1)).toEqual(['1']);
  });

  it('keep their place among direct messages, also those of an open batch', async () => {
    const { wsUrl, sessions, server } = await start();
    const client = connectWs(wsUrl + PATH);
    await client.opened;
    const socket = sessions[0]?.socket;
    socket?.subscribe('t');
    const publish = (message: string): void =>
      server.publisher.publish('t', bytes(message), { form: 'json', frameType: 'push_publication', receivers: 1 });
    socket?.batch(() => {
      socket.send(bytes('1'));
      socket.send(bytes('2'));
      publish('3');
      socket.send(bytes('4'));
    });
    publish('5');
    socket?.send(bytes('6'));
    publish('7');
    await client.received(6);
    socket?.unsubscribe('t');
    publish('not for this one');
    socket?.send(bytes('8'));
    await client.received(7);
    expect(client.messages.join('\n').split('\n')).toEqual(numbers(1, 8));
  });
});

describe('a pong', () => {
  it.each([
    ['JSON', '', '{}', jsonCodec],
    ['Protobuf', '?cf_protocol=protobuf', Uint8Array.of(0), protobufCodec],
  ])('of %s comes as the bytes of the ping, which everybody shares', async (_, query, pong, codec) => {
    const { wsUrl, sessions } = await start();
    const client = connectWs(wsUrl + PATH + query);
    await client.opened;
    client.socket.send(pong);
    client.socket.send('[]');
    await eventually(() => expect(sessions[0]?.rawFrames).toHaveLength(2));
    expect(sessions[0]?.rawFrames[0]).toBe(codec.ping);
    expect(sessions[0]?.rawFrames[1]).toEqual(bytes('[]'));
  });
});

describe('a client that does not read', () => {
  const QUEUE = { queueMaxSize: 1_048_576 };
  const PUBLICATION = new Uint8Array(60_000).fill(0x61);

  async function stalledClient(options: TestEdgeOptions): Promise<{
    session: ScriptedSession;
    resume: () => Promise<Buffer>;
    /** Reads at least so many bytes, then no more. */
    take: (byteCount: number) => Promise<void>;
  }> {
    const { url, sessions } = await start({ ...options, settings: { ...QUEUE, ...options.settings } });
    const raw = openRaw(url);
    raw.write(upgradeRequest(PATH));
    raw.pause();
    await eventually(() => expect(sessions).toHaveLength(1));
    const [session] = sessions;
    if (session === undefined) throw new Error('no session');
    const chunks: Buffer[] = [];
    raw.on('data', (chunk: Buffer) => chunks.push(chunk));
    raw.pause();
    const ended = new Promise<Buffer>((resolve) => {
      raw.on('error', () => resolve(Buffer.concat(chunks)));
      raw.on('end', () => resolve(Buffer.concat(chunks)));
    });
    const byteCount = (): number => chunks.reduce((sum, { length }) => sum + length, 0);
    return {
      session,
      take: async (count) => {
        const goal = byteCount() + count;
        raw.resume();
        await eventually(() => expect(byteCount()).toBeGreaterThanOrEqual(goal));
        raw.pause();
      },
      resume: () => {
        raw.resume();
        return ended.finally(() => raw.destroy());
      },
    };
  }

  it.each([
    ['sent messages', ({ socket }: ScriptedSession) => socket.send(PUBLICATION)],
    [
      'topic messages',
      () =>
        edge?.server.publisher.publish('t', PUBLICATION, { form: 'json', frameType: 'push_publication', receivers: 1 }),
    ],
  ])('is reported slow once by %s, then closed with 3008 as soon as it takes something', async (_, push) => {
    const { session, resume } = await stalledClient({ onAccept: ({ socket }) => socket.subscribe('t') });
    let slowDuringSend = 0;
    for (let count = 0; count < 400; count += 1) {
      push(session);
      slowDuringSend += session.slowCount;
    }
    expect(slowDuringSend).toBe(0);
    await eventually(() => expect(session.slowCount).toBe(1));
    for (let count = 0; count < 10; count += 1) push(session);
    expect(session.closeCount).toBe(0);
    const received = await resume();
    // FIN, close frame: 0x88, length, code, reason.
    expect(received.subarray(-8)).toEqual(Buffer.from([0x88, 6, 3008 >> 8, 3008 & 0xff, ...bytes('slow')]));
    expect(session).toMatchObject({ slowCount: 1, closeCount: 1 });
  });

  it('is dropped when it takes nothing for five seconds after that', async () => {
    const { session } = await stalledClient({ fakeClock: true });
    for (let count = 0; count < 400; count += 1) session.socket.send(PUBLICATION);
    await eventually(() => expect(session.slowCount).toBe(1));
    await edge?.clock.advance(4900);
    expect(session.closeCount).toBe(0);
    await edge?.clock.advance(200);
    expect(session.closeCount).toBe(1);
  });

  it.each([
    ['sent messages', ({ socket }: ScriptedSession) => socket.send(PUBLICATION)],
    [
      'topic messages',
      () =>
        edge?.server.publisher.publish('t', PUBLICATION, { form: 'json', frameType: 'push_publication', receivers: 1 }),
    ],
  ])('is slow when it takes nothing of %s for the time of a write', async (_, push) => {
    const { session, resume } = await stalledClient({
      fakeClock: true,
      onAccept: ({ socket }) => socket.subscribe('t'),
      settings: { queueMaxSize: 1e9 },
    });
    for (let count = 0; count < 400; count += 1) push(session);
    await new Promise(setImmediate);
    await edge?.clock.advance(750);
    await new Promise(setImmediate);
    expect(session.slowCount).toBe(0);
    await edge?.clock.advance(1500);
    await eventually(() => expect(session.slowCount).toBe(1));
    expect(session.closeCount).toBe(0);
    expect((await resume()).subarray(-8)).toEqual(Buffer.from([0x88, 6, 3008 >> 8, 3008 & 0xff, ...bytes('slow')]));
  });

  it('is left alone while it takes some', async () => {
    const { session, take } = await stalledClient({ fakeClock: true, settings: { queueMaxSize: 1e9 } });
    for (let count = 0; count < 400; count += 1) session.socket.send(PUBLICATION);
    for (let round = 0; round < 4; round += 1) {
      await edge?.clock.advance(750);
      await take(2_000_000);
    }
    await new Promise(setImmediate);
    expect(session.slowCount).toBe(0);
  });

  it('gets what is queued before another close', async () => {
    const { session, resume } = await stalledClient({});
    for (let count = 0; count < 10; count += 1) session.socket.send(PUBLICATION);
    session.socket.close(3503, 'x');
    const received = await resume();
    expect(received.filter((byte) => byte === 0x61).length).toBeGreaterThanOrEqual(600_000);
    expect(received.subarray(-5)).toEqual(Buffer.from([0x88, 3, 3503 >> 8, 3503 & 0xff, 0x78]));
  });

  it('does not keep its connection by never answering a close frame', async () => {
    const { url, sessions, server } = await start({ onFrame: ({ socket }) => socket.close(3503, 'x') });
    const raw = openRaw(url);
    raw.write(upgradeRequest(PATH));
    await eventually(() => expect(sessions).toHaveLength(1));
    raw.write(textFrame('x'));
    await eventually(() => expect(sessions[0]?.closeCount).toBe(1));
    expect(server.connections).toBe(0);
    raw.destroy();
  });
});

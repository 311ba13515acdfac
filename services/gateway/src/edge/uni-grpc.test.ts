import { subjectAt } from '@carillon/dev-tools/test-certificate';
import { Client, credentials, Metadata, type ChannelCredentials, type ClientReadableStream } from '@grpc/grpc-js';
import { protobufCodec } from '@carillon/protocol/client';
import { afterEach, describe, expect, it } from 'vitest';
import type { EdgeSettings, TlsSettings } from './edge-settings.ts';
import { certificate } from './fixture/certificate.ts';
import { eventually } from './fixture/raw-client.ts';
import { DEFAULT_SETTINGS, startEdge, type TestEdge, type TestEdgeOptions } from './fixture/start-edge.ts';

let edge: TestEdge | undefined;
const clients: Client[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
  edge?.close();
});

const PATH = '/centrifugal.centrifugo.unistream.CentrifugoUniStream/Consume';

async function start(options: TestEdgeOptions = {}): Promise<TestEdge> {
  const uniGrpc = { ...DEFAULT_SETTINGS.uniGrpc, enabled: true };
  edge = await startEdge({ ...options, settings: { ...options.settings, uniGrpc } });
  return edge;
}

interface Consumed {
  readonly call: ClientReadableStream<Buffer>;
  readonly pushes: Buffer[];
  readonly ended: Promise<number>;
}

function consume(
  request: Uint8Array,
  metadata = new Metadata(),
  channel: ChannelCredentials = credentials.createInsecure(),
): Consumed {
  const client = new Client(`127.0.0.1:${edge?.server.grpcPort}`, channel, { 'grpc.ssl_target_name_override': 'one' });
  clients.push(client);
  const identity = (data: Buffer): Buffer => data;
  const call = client.makeServerStreamRequest(PATH, identity, identity, Buffer.from(request), metadata);
  const pushes: Buffer[] = [];
  call.on('data', (push: Buffer) => pushes.push(push));
  const ended = new Promise<number>((resolve) => {
    call.on('status', ({ code }) => resolve(code));
    call.on('error', () => pushes.length);
  });
  return { call, pushes, ended };
}

/** `token` = "t". */
const REQUEST = Uint8Array.of(0x0a, 1, 0x74);

describe('unidirectional gRPC', () => {
  it('streams pushes as they were encoded, an empty one for a ping, and ends with a disconnect push', async () => {
    const { sessions } = await start({
      settings: { keptHeaders: new Set(['x-team']), keptMetadata: new Set(['x-team']) },
      onFrame: ({ socket }) => {
        socket.send(Uint8Array.of(1, 2, 3));
        socket.send(new Uint8Array(0));
        socket.close(3005, 'connection expired');
      },
    });
    const metadata = new Metadata();
    metadata.set('x-team', 'a');
    metadata.set('x-other', 'b');
    const { pushes, ended } = consume(REQUEST, metadata);
    expect(await ended).toBe(0);
    const disconnect = protobufCodec.encodePush({ disconnect: { code: 3005, reason: 'connection expired' } });
    expect(pushes.map((push) => new Uint8Array(push))).toEqual([
      Uint8Array.of(1, 2, 3),
      new Uint8Array(0),
      new Uint8Array(disconnect),
    ]);
    expect(sessions[0]?.rawFrames.map((frame) => new Uint8Array(frame))).toEqual([REQUEST]);
    expect(sessions[0]?.socket.request.metadata).toEqual(new Map([['x-team', ['a']]]));
    expect(sessions[0]?.socket.request.headers.size).toBe(0);
    expect(sessions[0]?.socket.request.remoteAddress).toBe('127.0.0.1');
    expect(sessions[0]).toMatchObject({ closeCount: 1 });
  });

  it('keeps of new connections what a new configuration asks for', async () => {
    const { server, sessions } = await start({ settings: { keptMetadata: new Set(['x-team']) } });
    const metadata = new Metadata();
    metadata.set('x-team', 'a');
    metadata.set('x-other', 'b');
    consume(REQUEST, metadata);
    await eventually(() => expect(sessions).toHaveLength(1));
    await server.reload({ ...DEFAULT_SETTINGS, keptMetadata: new Set(['x-other']) });
    consume(REQUEST, metadata);
    await eventually(() => expect(sessions).toHaveLength(2));
    expect(sessions.map(({ socket }) => [...(socket.request.metadata?.keys() ?? [])])).toEqual([
      ['x-team'],
      ['x-other'],
    ]);
  });

  it('gives new connections a new certificate, keeps the old ones, and refuses one that is unusable', async () => {
    const withTls = (tls: TlsSettings): EdgeSettings => ({
      ...DEFAULT_SETTINGS,
      uniGrpc: { ...DEFAULT_SETTINGS.uniGrpc, enabled: true, tls },
    });
    const one = certificate('one');
    edge = await startEdge({ settings: withTls(one) });
    const { server, sessions } = edge;
    const checked = credentials.createSsl(Buffer.from(one.certPem));
    const { pushes, ended } = consume(REQUEST, new Metadata(), checked);
    await eventually(() => expect(sessions).toHaveLength(1));
    await server.reload(withTls(certificate('two')));
    expect(await subjectAt(server.grpcPort, ['h2'])).toBe('two');
    const bad = { certPem: 'no pem', keyPem: 'no pem', clientCaPem: '' };
    await expect(server.reload(withTls(bad))).rejects.toMatchObject({ code: 'tls_unusable' });
    expect(await subjectAt(server.grpcPort, ['h2'])).toBe('two');
    sessions[0]?.socket.send(Uint8Array.of(7));
    await eventually(() => expect(pushes).toHaveLength(1));
    sessions[0]?.socket.close(3005, 'x');
    expect(await ended).toBe(0);
  });

  it('tells the session when the client cancels', async () => {
    const { sessions, server } = await start({ onFrame: ({ socket }) => socket.send(new Uint8Array(0)) });
    const { call } = consume(REQUEST);
    await eventually(() => expect(sessions[0]?.frames).toHaveLength(1));
    call.cancel();
    await eventually(() => expect(sessions[0]?.closeCount).toBe(1));
    expect(server.connections).toBe(0);
  });

  it('lets streams that have just ended send their status when the server closes', async () => {
    const { sessions, server } = await start();
    const { ended, pushes } = consume(REQUEST);
    await eventually(() => expect(sessions).toHaveLength(1));
    sessions[0]?.socket.close(3001, 'shutdown');
    server.close();
    expect(await ended).toBe(0);
    expect(pushes).toHaveLength(1);
  });

  it('answers a bad request and a full node with errors', async () => {
    await start({ settings: { connectionRateLimit: 1 } });
    expect(await consume(Uint8Array.of(0xff)).ended).toBe(13);
    consume(REQUEST);
    await eventually(() => expect(edge?.sessions).toHaveLength(1));
    expect(await consume(REQUEST).ended).toBe(14);
  });

  it('reports a client that does not read', async () => {
    const { sessions } = await start();
    const { call, ended } = consume(REQUEST);
    call.pause();
    await eventually(() => expect(sessions).toHaveLength(1));
    await eventually(() => {
      for (let count = 0; count < 20; count += 1) sessions[0]?.socket.send(new Uint8Array(60_000));
      expect(sessions[0]).toMatchObject({ slowCount: 1, closeCount: 1 });
    });
    call.resume();
    expect(await ended).not.toBe(0);
  });
});

import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { selfSignedCertificate, subjectAt } from '@carillon/dev-tools/test-certificate';
import { startNats, type TestNats } from '@carillon/dev-tools/test-nats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';

import { eventually } from '../harness/eventually.ts';
import { freePort } from '../harness/free-port.ts';
import { BASE_CONFIG, mergeConfig } from '../harness/standalone.ts';
import { SECRET, signToken } from '../harness/token.ts';
import { startProcess, type ServerProcess, type ServiceCommand } from '../harness/start-process.ts';

/** With the ports of the server API and of clients over gRPC. */
interface Started extends ServerProcess {
  readonly apiPort: number;
  readonly clientPort: number;
}

describe('a process with certificates in files', () => {
  let nats: TestNats;
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'carillon-sighup-'));
    nats = await startNats();
  });
  afterAll(async () => {
    await nats.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function start(command: ServiceCommand, more: object): Promise<Started> {
    const [apiPort, clientPort] = [await freePort(), await freePort()];
    const tls = { enabled: true, cert_pem: join(folder, 'cert.pem'), key_pem: join(folder, 'key.pem') };
    const config = mergeConfig(mergeConfig(BASE_CONFIG, { http_server: { tls } }), {
      ...more,
      grpc_api: { enabled: true, port: apiPort, tls },
      uni_grpc: { enabled: true, port: clientPort, tls },
    });
    return { ...(await startProcess({ command, config, isUnawaited: true })), apiPort, clientPort };
  }

  /** Replaces both files, as a tool for certificates does. */
  function writeCertificate(name: string): void {
    const { cert, key } = selfSignedCertificate(name);
    writeFileSync(join(folder, 'key.pem'), key);
    writeFileSync(join(folder, 'cert.pem'), cert);
  }

  /** The ports of the process, and whose name they show to a new connection. */
  async function expectNames(server: ServerProcess, ports: readonly number[], name: string): Promise<void> {
    await eventually(async () => {
      expect(await Promise.all(ports.map((port) => subjectAt(port, ['h2', 'http/1.1']))), server.output()).toEqual(
        ports.map(() => name),
      );
    }, 40_000);
  }

  it('serves new connections with the new one on every port, and keeps the old ones: carillon serve', async () => {
    writeCertificate('one');
    const server = await start('serve', { channel: { without_namespace: { allow_subscribe_for_client: true } } });
    const ports = [server.port, server.apiPort, server.clientPort];
    await expectNames(server, ports, 'one');
    const socket = new WebSocket(`wss://127.0.0.1:${server.port}/connection/websocket`, { rejectUnauthorized: false });
    const received: string[] = [];
    socket.on('message', (data: Buffer) => {
      // A ping of the server.
      if (data.toString() === '{}') socket.send('{}');
      else received.push(data.toString());
    });
    await new Promise((resolve) => socket.once('open', resolve));
    const token = signToken({ sub: 'u' }, { secret: SECRET });
    socket.send(JSON.stringify({ id: 1, connect: { token } }));
    await eventually(() => expect(received).toHaveLength(1));

    writeCertificate('two');
    server.signal('SIGHUP');
    await expectNames(server, ports, 'two');

    expect(socket.readyState).toBe(WebSocket.OPEN);
    socket.send(JSON.stringify({ id: 2, subscribe: { channel: 'news' } }));
    await eventually(() => expect(received[1]).toContain('"subscribe"'));
    socket.close();
    await server.stop();
  }, 90_000);

  it('keeps the old one, and says so, when the new one can not be used', async () => {
    writeCertificate('one');
    const server = await start('serve', {});
    const ports = [server.port, server.apiPort, server.clientPort];
    await expectNames(server, ports, 'one');
    writeCertificate('two');
    // The key of another certificate.
    writeFileSync(join(folder, 'key.pem'), selfSignedCertificate('three').key);
    server.signal('SIGHUP');
    await eventually(() => expect(server.output()).toContain('configuration not reloaded'));
    await expectNames(server, ports, 'one');
    await server.stop();
  }, 90_000);

  it('does so in every service of a cluster: carillon api, carillon gateway', async () => {
    writeCertificate('one');
    const cluster = { nats: { url: nats.url, prefix: `t${randomBytes(5).toString('hex')}` } };
    const api = await start('api', cluster);
    const gateway = await start('gateway', cluster);
    const places: [ServerProcess, number[]][] = [
      [api, [api.port, api.apiPort]],
      [gateway, [gateway.port, gateway.clientPort]],
    ];
    for (const [server, ports] of places) await expectNames(server, ports, 'one');
    writeCertificate('two');
    for (const [server, ports] of places) {
      server.signal('SIGHUP');
      await expectNames(server, ports, 'two');
    }
    await Promise.all([api.stop(), gateway.stop()]);
  }, 90_000);
});

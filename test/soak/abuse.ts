import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';

import type { Deployment } from '../harness/deployment.ts';

const OPEN_DEADLINE_MS = 20_000;
const ANSWER_DEADLINE_MS = 20_000;

/** Clients that come, subscribe and go: half with a closing handshake, half without a word. */
export async function churnWebSockets(server: Deployment, count: number): Promise<void> {
  const sockets = await Promise.all(
    Array.from({ length: count }, (_, index) => openSubscribed(server, `churn-${index % 20}`)),
  );
  for (const [index, socket] of sockets.entries()) {
    if (index % 2 === 0) socket.close();
    else socket.terminate();
  }
}

/** Clients of every streaming transport, who wait for their first bytes and vanish. */
export async function churnStreams(server: Deployment, port: number, count: number): Promise<void> {
  const connectRequest = { token: server.token('soak'), subs: { churn: {} } };
  const connectCommand = JSON.stringify({ id: 1, connect: connectRequest });
  const requests = [
    postHead('/connection/http_stream', `${connectCommand}\n`),
    postHead('/connection/sse', `${connectCommand}\n`),
    `GET /connection/sse?cf_connect=${encodeURIComponent(connectCommand)} HTTP/1.1\r\nHost: a\r\n\r\n`,
    postHead('/connection/uni_http_stream', JSON.stringify(connectRequest)),
    postHead('/connection/uni_sse', JSON.stringify(connectRequest)),
  ];
  const sockets = await Promise.all(
    Array.from({ length: count }, (_, index) => openStream(port, requests[index % requests.length] ?? '')),
  );
  for (const [index, socket] of sockets.entries()) {
    if (index % 2 === 0) socket.end();
    else socket.resetAndDestroy();
  }
}

/** Sockets that begin something and never go on: no request, half a request, half a body, no connect command. */
export async function halfOpen(server: Deployment, ports: readonly number[], count: number): Promise<Socket[]> {
  const beginnings = [
    '',
    'GET /connection/websocket HTTP/1.1\r\nHost: a\r\n',
    'POST /connection/http_stream HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{"id"',
    'PRI * HTTP/2.0\r\n\r\n',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0',
  ];
  const sockets: Socket[] = [];
  for (const port of ports) {
    for (let index = 0; index < count; index += 1) {
      const socket = await openTcp(port);
      socket.write(beginnings[index % beginnings.length] ?? '', 'latin1');
      sockets.push(socket);
    }
  }
  for (let index = 0; index < count; index += 1) await openWebSocket(server.wsUrl());
  return sockets;
}

/** Random bytes, and random bytes after a good beginning. */
export async function garbage(server: Deployment, ports: readonly number[], count: number): Promise<void> {
  const beginnings = [
    '',
    postHead('/connection/uni_sse', '').replace('Content-Length: 0', 'Content-Length: 9000'),
    postHead('/api/publish', '').replace('Content-Length: 0', 'Transfer-Encoding: chunked'),
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0',
  ];
  for (const port of ports) {
    for (let index = 0; index < count; index += 1) {
      const socket = await openTcp(port);
      socket.write(beginnings[index % beginnings.length] ?? '', 'latin1');
      socket.write(randomBytes(1 + ((index * 977) % 8_192)));
      socket.end();
    }
  }
  for (let index = 0; index < count; index += 1) {
    const socket = await openWebSocket(server.wsUrl(), index % 2 === 0 ? [] : ['centrifuge-protobuf']);
    socket.send(randomBytes(1 + ((index * 131) % 4_096)));
    if (index % 3 === 0) socket.terminate();
  }
}

/** Clients that subscribe and then read no more, while the channel is loud, until the server lets them go. */
export async function slowReaders(server: Deployment, port: number, count: number): Promise<void> {
  const channel = 'loud';
  const sockets = await Promise.all(Array.from({ length: count }, () => openSubscribed(server, channel)));
  const request = JSON.stringify({ token: server.token('soak'), subs: { [channel]: {} } });
  const streams = await Promise.all(
    Array.from({ length: count }, () => openStream(port, postHead('/connection/uni_sse', request))),
  );
  for (const reader of [...sockets, ...streams]) reader.pause();
  const data = 'x'.repeat(60_000);
  // More than the kernel keeps for a socket, and the server's own queue after it.
  for (let index = 0; index < 200; index += 1) await server.api('publish', { channel, data });
  await sleep(500);
  for (const socket of sockets) socket.terminate();
  for (const stream of streams) stream.destroy();
}

async function openSubscribed(server: Deployment, channel: string): Promise<WebSocket> {
  const socket = await openWebSocket(server.wsUrl());
  const connectCommand = { id: 1, connect: { token: server.token('soak') } };
  const answered = new Promise<void>((resolve) => {
    let text = '';
    socket.on('message', (data: Buffer) => {
      if (text.includes('"id":2')) return;
      text += data.toString();
      if (text.includes('"id":2')) resolve();
    });
    socket.once('close', () => resolve());
  });
  socket.send(`${JSON.stringify(connectCommand)}\n${JSON.stringify({ id: 2, subscribe: { channel } })}`);
  await answered;
  return socket;
}

function openWebSocket(url: string, protocols: string[] = []): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, protocols, { handshakeTimeout: OPEN_DEADLINE_MS });
    socket.once('open', () => resolve(socket));
    socket.once('error', reject);
    socket.on('error', () => undefined);
  });
}

/** Resolves with the reply to the connect request, which comes after the head. */
async function openStream(port: number, request: string): Promise<Socket> {
  const socket = await openTcp(port);
  socket.write(request);
  await new Promise<void>((resolve, reject) => {
    let received = '';
    const deadline = setTimeout(() => reject(new Error(`no stream: ${received}`)), ANSWER_DEADLINE_MS);
    socket.on('data', (chunk: Buffer) => {
      if (received.includes('"client"')) return;
      received += chunk.toString('latin1');
      if (!received.includes('"client"')) return;
      clearTimeout(deadline);
      resolve();
    });
  });
  return socket;
}

function postHead(path: string, body: string): string {
  return `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

function openTcp(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket));
    socket.once('error', reject);
    socket.on('error', () => undefined);
    // Whatever is answered is read and forgotten.
    socket.resume();
  });
}

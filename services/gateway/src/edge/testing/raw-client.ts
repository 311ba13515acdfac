import { connect, type Socket as NetSocket } from 'node:net';

// For tests of this folder: HTTP and WebSocket by hand, where well-behaved clients would not do.

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

/** The status of an upgrade request with these headers. The connection is closed afterwards. */
export async function upgradeStatus(url: string, path: string, headers: Record<string, string>): Promise<number> {
  const socket = openRaw(url);
  socket.write(upgradeRequest(path, headers));
  const head = await new Promise<string>((resolve, reject) => {
    socket.once('data', (data: Buffer) => resolve(data.toString('latin1')));
    socket.once('error', reject);
  });
  socket.destroy();
  return Number(head.split(' ')[1]);
}

export function upgradeRequest(path: string, headers: Record<string, string> = {}): string {
  const lines = Object.entries({
    Host: 'localhost',
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': KEY,
    ...headers,
  }).map(([name, value]) => `${name}: ${value}`);
  return `GET ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`;
}

/** Neither reads nor ends by itself. */
export function openRaw(url: string): NetSocket {
  return connect({ host: '127.0.0.1', port: Number(new URL(url).port), allowHalfOpen: true });
}

/** A masked text frame of less than 126 bytes. */
export function textFrame(payload: string): Uint8Array {
  const body = Buffer.from(payload);
  return Buffer.concat([Uint8Array.of(0x81, 0x80 | body.length, 0, 0, 0, 0), body]);
}

/** Tries until `check` passes, for at most five seconds; then fails as `check` does. */
export async function eventually(check: () => void): Promise<void> {
  const until = performance.now() + 5000;
  for (;;) {
    try {
      check();
      return;
    } catch (error) {
      if (performance.now() > until) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

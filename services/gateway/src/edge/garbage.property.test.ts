import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { eventually, openRaw, upgradeRequest } from './fixture/raw-client.ts';
import { startEdge, type TestEdge } from './fixture/start-edge.ts';

let edge: TestEdge | undefined;
afterEach(() => edge?.close());

const PREAMBLES = [
  '',
  upgradeRequest('/connection/websocket'),
  upgradeRequest('/connection/uni_websocket'),
  'POST /connection/http_stream HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n',
  'POST /emulation HTTP/1.1\r\nHost: x\r\nContent-Length: 40\r\n\r\n',
  'POST /connection/uni_sse HTTP/1.1\r\nHost: x\r\nContent-Length: 40\r\n\r\n',
  'GET /connection/sse?cf_connect=',
];

describe('the edge', () => {
  it('goes on serving, and forgets the connection, whatever bytes a client sends', async () => {
    edge = await startEdge({ onFrame: ({ socket }, frame) => socket.send(new TextEncoder().encode(frame)) });
    const { url, server } = edge;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...PREAMBLES),
        fc.array(fc.uint8Array({ maxLength: 80 }), { maxLength: 4 }),
        async (preamble, parts) => {
          const raw = openRaw(url);
          raw.on('error', () => raw.destroy());
          raw.resume();
          raw.write(preamble);
          for (const part of parts) {
            await new Promise((resolve) => setImmediate(resolve));
            raw.write(part);
          }
          expect((await fetch(`${url}/connection/init`)).status).toBe(200);
          raw.destroy();
          await eventually(() => expect(server.connections).toBe(0));
        },
      ),
      { numRuns: 60 },
    );
  });
});

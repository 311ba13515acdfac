import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';

import { ROOT } from '../harness/checkout.ts';
import { freePort } from '../harness/free-port.ts';

/** Serves a page that loads the official browser bundle, from an origin that is not the server's. Lets no WebSocket through. */
export interface PageServer {
  readonly origin: string;
  readonly port: number;
  /** Upgrades it refused. */
  readonly refusedUpgrades: () => number;
  stop(): Promise<void>;
}

const PAGE = '<!doctype html><title>test</title><script src="/centrifuge.js"></script>';
const BUNDLE = join(ROOT, 'test/node_modules/centrifuge/dist/centrifuge.js');

export async function startPageServer(): Promise<PageServer> {
  const bundle = readFileSync(BUNDLE);
  let refused = 0;
  const server = createServer((request, response) => {
    const isPage = request.url === '/';
    const isBundle = request.url === '/centrifuge.js';
    response.writeHead(isPage || isBundle ? 200 : 404, { 'Content-Type': isPage ? 'text/html' : 'text/javascript' });
    response.end(isPage ? PAGE : isBundle ? bundle : '');
  });
  server.on('upgrade', (_request, socket) => {
    refused += 1;
    socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n');
  });
  const port = await freePort();
  await new Promise<void>((resolve) => {
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    origin: `http://127.0.0.1:${port}`,
    port,
    refusedUpgrades: () => refused,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

import { createServer } from 'node:net';

// Below the range from which Linux takes ports for outgoing connections: those come and go all the time.
const FIRST_PORT = 12_000;
const PORTS_PER_WORKER = 2_500;
const WORKERS = 8;
const worker = Number(process.env['VITEST_POOL_ID'] ?? process.pid) % WORKERS;
let next = Math.floor(Math.random() * PORTS_PER_WORKER);

/** A port of 127.0.0.1 that nobody listens on. Each test worker has a range of its own, and goes round in it. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < PORTS_PER_WORKER; attempt += 1) {
    next = (next + 1) % PORTS_PER_WORKER;
    const port = FIRST_PORT + worker * PORTS_PER_WORKER + next;
    if (await isFree(port)) return port;
  }
  throw new Error('no free port');
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '0.0.0.0', () => server.close(() => resolve(true)));
  });
}

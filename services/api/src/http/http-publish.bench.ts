// Run: node --conditions=development services/api/src/http/http-publish.bench.ts
// CPU of a process that serves HTTP publishes on the memory broker, against a bare uWS server that reads the same bodies.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { systemClock } from '@carillon/service-kit';
import { App, us_socket_local_port } from 'uWebSockets.js';
import { configOf, startApiWith } from '../fixture/start-api.ts';

const CONNECTIONS = 16;
const WARM_UP_MS = 1_500;
const MEASURE_MS = 4_000;
const ROUNDS = 3;
const KEY = 'a-key-of-the-usual-length-0123456789';

const CASES = [
  {
    title: 'bare uWS',
    port: 'bare',
    path: '/api/publish',
    message: { channel: 'news', data: { text: 'x'.repeat(100) } },
  },
  {
    title: 'publish',
    port: 'api',
    path: '/api/publish',
    message: { channel: 'news', data: { text: 'x'.repeat(100) } },
  },
  {
    title: 'publish with history',
    port: 'api',
    path: '/api/publish',
    message: { channel: 'hi:news', data: { text: 'x'.repeat(100) } },
  },
  {
    title: 'broadcast to 10',
    port: 'api',
    path: '/api/broadcast',
    message: { channels: Array.from({ length: 10 }, (_, i) => `news${i}`), data: { text: 'x'.repeat(100) } },
  },
] as const;

interface Ports {
  readonly bare: number;
  readonly api: number;
}

async function serve(): Promise<void> {
  const api = await startApiWith(systemClock, configOf({ http_api: { key: KEY } }));
  const bare = App();
  bare.post('/api/publish', (response) => {
    response.onAborted(() => undefined);
    response.onData((_chunk, isLast) => {
      if (isLast) response.writeHeader('Content-Type', 'application/json').end('{"result":{}}');
    });
  });
  bare.listen('127.0.0.1', 0, (socket) => {
    if (socket === false) throw new Error('no port');
    process.send?.({ bare: us_socket_local_port(socket), api: Number(new URL(api.url).port) } satisfies Ports);
  });
  process.on('SIGINT', () => process.exit(0));
  process.on('message', () => process.send?.(process.cpuUsage()));
}

class Load {
  readonly #sockets: Socket[] = [];
  answered = 0;

  constructor(port: number, request: Buffer) {
    for (let i = 0; i < CONNECTIONS; i++) {
      const socket = connect(port, '127.0.0.1', () => socket.write(request));
      socket.setNoDelay(true);
      socket.on('data', (data) => {
        if (data[9] !== 0x32) throw new Error(data.toString('latin1'));
        this.answered += 1;
        socket.write(request);
      });
      this.#sockets.push(socket);
    }
  }

  stop(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

function requestOf(path: string, message: object): Buffer {
  const body = JSON.stringify(message);
  const head = [
    `POST ${path} HTTP/1.1`,
    'Host: 127.0.0.1:8000',
    `X-API-Key: ${KEY}`,
    'User-Agent: bench',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`);
}

async function measure(): Promise<void> {
  const server = fork(import.meta.filename, ['serve'], {
    execArgv: ['--conditions=development', ...(process.env['BENCH_ARGS'] ?? '').split(' ').filter((a) => a !== '')],
  });
  const [ports] = (await once(server, 'message')) as [Ports];
  const cpuMicros = async (): Promise<number> => {
    server.send('cpu');
    const [usage] = (await once(server, 'message')) as [NodeJS.CpuUsage];
    return usage.user + usage.system;
  };
  for (let round = 1; round <= ROUNDS; round++) {
    for (const { title, port, path, message } of CASES) {
      const load = new Load(ports[port], requestOf(path, message));
      await new Promise((resolve) => setTimeout(resolve, WARM_UP_MS));
      const [answered, cpu, startedAt] = [load.answered, await cpuMicros(), performance.now()];
      await new Promise((resolve) => setTimeout(resolve, MEASURE_MS));
      const [micros, requests] = [(await cpuMicros()) - cpu, load.answered - answered];
      const perSecond = Math.round(requests / ((performance.now() - startedAt) / 1_000));
      load.stop();
      console.log(
        `${title}: ${(micros / requests).toFixed(1)} µs of CPU, ${perSecond.toLocaleString('en')} requests/s`,
      );
    }
  }
  server.kill('SIGINT');
}

await (process.argv[2] === 'serve' ? serve() : measure());

// npm run bench:connect — CPU of the gateway for a connect with an HS256 token and one subscription, paced and in bursts,
// beside a bare uWebSockets.js server that answers the same two messages with fixed bytes. One run, one machine.
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { App, us_socket_local_port } from 'uWebSockets.js';
import { startStandalone } from '../harness/standalone.ts';
import { secondsFromNow, signToken } from '../harness/token.ts';
import { processCpuUs } from './measure/process-cpu.ts';
import { openRawWebsocket } from './measure/raw-websocket.ts';

const PATH = '/connection/websocket';
const PACED_PER_SECOND = 1500;
const PACED_SECONDS = 6;
const BURST = 500;
const BURSTS = 12;

interface Load {
  readonly port: number;
  readonly tokens: readonly string[];
  readonly mode: 'paced' | 'burst';
}

const [role = 'main'] = process.argv.slice(2);
if (role === 'main') await main();
else if (role === 'bare') bareServer();
else if (role === 'load') process.once('message', (load: Load) => void runLoad(load));

async function main(): Promise<void> {
  const server = await startStandalone({ channel: { without_namespace: { allow_subscribe_for_client: true } } });
  const [gateway] = server.gateways;
  if (gateway === undefined) throw new Error('no server');
  const bare = fork(import.meta.filename, ['bare'], { execArgv: process.execArgv });
  const [barePort] = (await once(bare, 'message')) as [number];
  const exp = secondsFromNow(3600);
  const tokens = Array.from({ length: 2000 }, (_, user) => signToken({ sub: `user-${user}`, exp }));
  const rows: string[][] = [['load', 'carillon µs', 'bare µs', 'ratio']];
  try {
    for (const mode of ['paced', 'burst'] as const) {
      await measure({ port: gateway.port, pid: gateway.pid, load: { port: gateway.port, tokens, mode } });
      const ours = await measure({ port: gateway.port, pid: gateway.pid, load: { port: gateway.port, tokens, mode } });
      const theirs = await measure({ port: barePort, pid: bare.pid ?? 0, load: { port: barePort, tokens, mode } });
      rows.push([mode, ours.toFixed(1), theirs.toFixed(1), (ours / theirs).toFixed(2)]);
    }
  } finally {
    bare.kill();
    await server.stop();
  }
  for (const row of rows) console.log(row.map((cell) => cell.padEnd(14)).join(''));
}

/** CPU of the server per connection, µs: connect, subscribe, and the end of the connection. */
async function measure({ pid, load }: { port: number; pid: number; load: Load }): Promise<number> {
  const child: ChildProcess = fork(import.meta.filename, ['load'], { execArgv: process.execArgv });
  const before = processCpuUs(pid);
  child.send(load);
  const [count] = (await once(child, 'message')) as [number];
  await sleep(300);
  return (processCpuUs(pid) - before) / count;
}

async function runLoad({ port, tokens, mode }: Load): Promise<void> {
  let done = 0;
  const one = (index: number): Promise<void> =>
    new Promise((resolve) => {
      const token = tokens[index % tokens.length] ?? '';
      let replies = 0;
      openRawWebsocket({
        port,
        path: PATH,
        onOpen: (socket) => {
          const connect = JSON.stringify({ id: 1, connect: { token, name: 'bench' } });
          socket.send(`${connect}\n${JSON.stringify({ id: 2, subscribe: { channel: `channel-${index % 100}` } })}`);
        },
        onMessage: (text, socket) => {
          replies += text.split('\n').length;
          if (replies < 2) return;
          done += 1;
          socket.close();
          resolve();
        },
      });
    });
  if (mode === 'paced') {
    const all: Promise<void>[] = [];
    const startedAt = performance.now();
    const total = PACED_PER_SECOND * PACED_SECONDS;
    while (all.length < total) {
      const due = Math.min(total, ((performance.now() - startedAt) / 1000) * PACED_PER_SECOND);
      while (all.length < due) all.push(one(all.length));
      await sleep(2);
    }
    await Promise.all(all);
  } else {
    for (let burst = 0; burst < BURSTS; burst++) {
      await Promise.all(Array.from({ length: BURST }, (_, index) => one(burst * BURST + index)));
    }
  }
  process.send?.(done);
  process.disconnect();
}

/** Answers with bytes of the same size; verifies and remembers nothing. */
function bareServer(): void {
  const connected = JSON.stringify({
    id: 1,
    connect: { client: '00000000-0000-4000-8000-000000000000', version: '6.9.1 OSS', ping: 25, pong: true },
  });
  App()
    .ws(PATH, {
      message: (ws) => {
        ws.send(`${connected}\n{"id":2,"subscribe":{}}`, false);
      },
    })
    .listen(0, (socket) => {
      if (socket === false) throw new Error('no port');
      process.send?.(us_socket_local_port(socket));
    });
}

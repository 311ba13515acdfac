import { connect, createServer, type Socket } from 'node:net';

import { freePort } from './free-port.ts';

/** One address before several: a new connection goes to the next port that takes it, as a load balancer does. */
export interface TcpFront {
  readonly port: number;
  stop(): Promise<void>;
}

export async function startTcpFront(ports: readonly number[]): Promise<TcpFront> {
  let turn = 0;
  const open: Set<Socket> = new Set();
  // As load balancers do: two small frames in a row would take 40 ms otherwise.
  const server = createServer({ noDelay: true }, (client) => {
    open.add(client);
    client.on('close', () => open.delete(client));
    client.on('error', () => client.destroy());
    turn += 1;
    const order = ports.map((_port, index) => ports[(turn + index) % ports.length] ?? 0);
    join(client, order);
  });
  const port = await freePort();
  await new Promise<void>((resolve) => {
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}

function join(client: Socket, [port, ...others]: readonly number[]): void {
  if (port === undefined) {
    client.destroy();
    return;
  }
  const upstream = connect({ port, host: '127.0.0.1', noDelay: true });
  let isConnected = false;
  upstream.once('connect', () => {
    isConnected = true;
    client.pipe(upstream);
    upstream.pipe(client);
  });
  upstream.on('error', () => {
    if (isConnected) client.destroy();
    else join(client, others);
  });
  upstream.on('close', () => {
    if (isConnected) client.destroy();
  });
  client.on('close', () => upstream.destroy());
}

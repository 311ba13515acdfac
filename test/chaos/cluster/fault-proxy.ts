import { connect, createServer, type Socket } from 'node:net';

import { freePort } from '../../harness/free-port.ts';
import { NatsStreamFilter, type IsLost } from './nats-stream-filter.ts';

/** What a proxy does with bytes: give them on, or keep them where they are, in one direction or both; or with no one. */
export type ProxyMode = 'pass' | 'hold' | 'hold-answers' | 'refuse';

interface Pair {
  readonly client: Socket;
  readonly upstream: Socket;
}

/** A TCP proxy between one process and NATS that can break the link in the ways that networks do. */
export class FaultProxy {
  readonly port: number;
  readonly #targetPort: number;
  readonly #pairs: Set<Pair> = new Set();
  readonly #server;
  #mode: ProxyMode = 'pass';
  #isLost: IsLost | undefined = undefined;
  #mayLose = false;

  private constructor(port: number, targetPort: number) {
    this.port = port;
    this.#targetPort = targetPort;
    this.#server = createServer((client) => this.#join(client));
  }

  static async start(targetPort: number): Promise<FaultProxy> {
    const proxy = new FaultProxy(await freePort(), targetPort);
    await new Promise<void>((resolve) => {
      proxy.#server.listen(proxy.port, '127.0.0.1', resolve);
    });
    return proxy;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  /** New connections get the mode too: with `hold` they open and stay silent. `refuse` breaks those that there are. */
  setMode(mode: ProxyMode): void {
    this.#mode = mode;
    if (mode === 'refuse') this.cut();
    for (const pair of this.#pairs) this.#apply(pair);
  }

  /** Messages to the client that are lost from now on, by subject; for connections that are made after the first call. */
  lose(isLost: IsLost): void {
    this.#mayLose = true;
    this.#isLost = isLost;
  }

  /** Breaks all connections; what the proxy holds is lost. */
  cut(): void {
    for (const { client, upstream } of this.#pairs) {
      client.destroy();
      upstream.destroy();
    }
  }

  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.cut();
    });
  }

  #join(client: Socket): void {
    if (this.#mode === 'refuse') {
      client.destroy();
      return;
    }
    const upstream = connect(this.#targetPort, '127.0.0.1');
    const pair: Pair = { client, upstream };
    this.#pairs.add(pair);
    client.setNoDelay(true);
    upstream.setNoDelay(true);
    const end = (): void => {
      this.#pairs.delete(pair);
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      socket.on('error', end);
      socket.on('close', end);
    }
    client.on('data', (chunk) => forward(chunk, { from: client, to: upstream }));
    // Made with the connection: it must see all frames from the first.
    const filter = this.#mayLose ? new NatsStreamFilter((subject) => this.#isLost?.(subject) === true) : undefined;
    upstream.on('data', (chunk: Buffer) =>
      forward(filter === undefined ? chunk : filter.take(chunk), { from: upstream, to: client }),
    );
    upstream.on('drain', () => this.#apply(pair));
    client.on('drain', () => this.#apply(pair));
    this.#apply(pair);
  }

  #apply({ client, upstream }: Pair): void {
    flow(client, this.#mode !== 'hold' && !upstream.writableNeedDrain);
    flow(upstream, this.#mode === 'pass' && !client.writableNeedDrain);
  }
}

function flow(socket: Socket, mayFlow: boolean): void {
  if (mayFlow) socket.resume();
  else socket.pause();
}

function forward(chunk: Buffer | string, { from, to }: { from: Socket; to: Socket }): void {
  if (chunk.length > 0 && !to.write(chunk)) from.pause();
}

import { FaultProxy } from './fault-proxy.ts';

interface Route {
  readonly from: number;
  readonly to: number;
  readonly proxy: FaultProxy;
}

/** Proxies on all routes between the servers of a NATS cluster, which can part one server from the others. */
export class RouteFaults {
  readonly #routes: Route[] = [];

  /** For `startNatsCluster`. */
  readonly via = async (from: number, to: number, routePort: number): Promise<number> => {
    const proxy = await FaultProxy.start(routePort);
    this.#routes.push({ from, to, proxy });
    return proxy.port;
  };

  /** Clients still reach the server; it reaches no other server, and is reached by none. */
  part(server: number): void {
    for (const { proxy } of this.#of(server)) proxy.setMode('refuse');
  }

  join(server: number): void {
    for (const { proxy } of this.#of(server)) proxy.setMode('pass');
  }

  async stop(): Promise<void> {
    await Promise.all(this.#routes.map(({ proxy }) => proxy.stop()));
  }

  #of(server: number): Route[] {
    return this.#routes.filter(({ from, to }) => from === server || to === server);
  }
}

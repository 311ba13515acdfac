import type { Deployment } from './deployment.ts';
import type { OfficialClient } from './official-client.ts';
import { openTransportClient, type TransportClientOptions } from './official-transports.ts';
import type { StartDeployment } from './deployments.ts';
import { startTcpFront } from './tcp-front.ts';

/** A deployment whose clients all come by one port: each connection reaches the next gateway. */
export interface BehindFront {
  readonly server: Deployment;
  /** A client that has not connected; closed by `stop`. */
  client(options: Omit<TransportClientOptions, 'port'>): OfficialClient;
  stop(): Promise<void>;
}

export async function startBehindFront(
  start: StartDeployment,
  options: Parameters<StartDeployment>[0],
): Promise<BehindFront> {
  const server = await start(options);
  const front = await startTcpFront(server.gateways.map(({ port }) => port));
  const clients: OfficialClient[] = [];
  return {
    server,
    client(clientOptions) {
      const client = openTransportClient({ ...clientOptions, port: front.port });
      clients.push(client);
      return client;
    },
    async stop() {
      for (const client of clients) client.close();
      await front.stop();
      await server.stop();
    },
  };
}

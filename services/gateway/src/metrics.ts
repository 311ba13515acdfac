import { COMPAT_VERSION } from '@carillon/protocol/codes';
import type { BanStore, Control, NodeStats } from '@carillon/cluster';
import type { Metrics } from '@carillon/service-kit';

export interface NodeGaugeSources {
  readonly stats: () => NodeStats;
  /** Open client connections, those not yet authenticated included. */
  readonly connections: () => number;
  readonly engine: { readonly control: Pick<Control, 'nodes'>; readonly bans: Pick<BanStore, 'current'> };
}

/** What this node holds now, read when metrics are rendered. */
export function createNodeGauges(metrics: Metrics, { stats, connections, engine }: NodeGaugeSources): void {
  const gauge = (name: string, help: string, read: () => number): void => void metrics.gauge({ name, help, read });
  // compat: build_info has our own version.
  const build = metrics.gauge({
    name: 'node_build',
    help: 'Always 1; the version told to clients',
    labels: ['version'],
  });
  build.with({ version: COMPAT_VERSION }).set(1);
  gauge('node_num_clients', 'Authenticated client connections of this node', () => stats().numClients);
  gauge('node_num_users', 'Distinct users connected to this node', () => stats().numUsers);
  gauge('node_num_channels', 'Channels with subscribers on this node', () => stats().numChannels);
  gauge('node_num_subscriptions', 'Subscriptions on this node', () => stats().numSubs);
  gauge('node_num_nodes', 'Living nodes of the cluster', () => engine.control.nodes().length);
  const countBans = (): number => engine.bans.current.size;
  gauge('node_num_bans', 'Blocked users and revoked tokens that this node knows of', countBans);
  gauge('gateway_connections', 'Open client connections of this node', connections);
}

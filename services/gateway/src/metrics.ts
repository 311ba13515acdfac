import type { NodeStats } from '@carillon/cluster';
import type { Metrics } from '@carillon/service-kit';

export interface NodeGaugeSources {
  readonly stats: () => NodeStats;
  /** Open client connections, those not yet authenticated included. */
  readonly connections: () => number;
  /** Living nodes of the cluster. */
  readonly nodes: () => number;
  /** Bans that this node knows of. */
  readonly bans: () => number;
}

/** What this node holds now, read when metrics are rendered. */
export function createNodeGauges(metrics: Metrics, { stats, connections, nodes, bans }: NodeGaugeSources): void {
  const gauge = (name: string, help: string, read: () => number): void => void metrics.gauge({ name, help, read });
  gauge('node_num_clients', 'Authenticated client connections of this node', () => stats().numClients);
  gauge('node_num_users', 'Distinct users connected to this node', () => stats().numUsers);
  gauge('node_num_channels', 'Channels with subscribers on this node', () => stats().numChannels);
  gauge('node_num_subscriptions', 'Subscriptions on this node', () => stats().numSubs);
  gauge('node_num_nodes', 'Living nodes of the cluster', nodes);
  gauge('node_num_bans', 'Blocked users and revoked tokens that this node knows of', bans);
  gauge('gateway_connections', 'Open client connections of this node', connections);
}

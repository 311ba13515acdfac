import { randomUUID } from 'node:crypto';
import type { Clock, Log, Metrics } from '@carillon/service-kit';
import type { ClusterEngine, CreateEngine } from '../engine.ts';
import type { NodeIdentity } from '../node-identity.ts';
import { createNatsBans } from './nats-bans.ts';
import { createNatsBroker, type NatsBrokerOptions } from './nats-broker.ts';
import { connectNats, type ConnectNatsOptions } from './nats-connection.ts';
import { createNatsControl } from './nats-control.ts';
import { createNatsPresence } from './nats-presence.ts';
import { NatsUserStatus } from './nats-user-status.ts';

export interface NatsEngineOptions {
  readonly connect: Omit<ConnectNatsOptions, 'log' | 'clock'>;
  /** The role follows from the node's. */
  readonly broker: Omit<NatsBrokerOptions, 'role'>;
  readonly node: NodeIdentity;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics?: Metrics | undefined;
}

/** The engine of a cluster: everything on NATS with JetStream. Rejects saying what is wrong with NATS. */
export function natsEngine({
  connect,
  broker: brokerOptions,
  node,
  clock,
  log,
  metrics,
}: NatsEngineOptions): CreateEngine {
  return async ({ receiver, handler }): Promise<ClusterEngine> => {
    const nodeId = randomUUID();
    const link = await connectNats({ ...connect, log, clock });
    // Undone in reverse order, also when a later part can't be made.
    const parts: { close(): Promise<void> }[] = [link];
    const close = async (): Promise<void> => {
      for (let part = parts.pop(); part !== undefined; part = parts.pop()) await part.close();
    };
    try {
      const control = await createNatsControl({ link, clock, log, node, handler, metrics, nodeId });
      parts.push(control);
      const replicas = brokerOptions.replicas;
      const presence = await createNatsPresence({ link, registry: control.registry, nodeId, clock, log, replicas });
      parts.push(presence);
      const bans = await createNatsBans({ link, clock, log, replicas });
      parts.push(bans);
      const userStatus = new NatsUserStatus({ link, clock, log, replicas });
      parts.push(userStatus);
      const role = node.role === 'gateway' ? 'edge' : 'owner';
      const broker = await createNatsBroker({
        connection: link,
        receiver,
        clock,
        log,
        nodes: () => control.nodes(),
        nodeId,
        metrics,
        options: { ...brokerOptions, role },
      });
      parts.push(broker);
      const unavailable = (): string | undefined => link.unavailable() ?? broker.unavailable() ?? control.unavailable();
      return { broker, presence, control, bans, userStatus, unavailable, close };
    } catch (error) {
      await close();
      throw error;
    }
  };
}

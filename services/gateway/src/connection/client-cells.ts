import type { CounterCell, GaugeCell, Metrics, ObserverCell } from '@carillon/service-kit';
import type { TransportName } from '../edge/socket.ts';
import type { Session } from '../session/session.ts';
import type { ConnectionMetrics } from './connection-metrics.ts';

type ClientMetrics = Pick<
  ConnectionMetrics,
  'clientAdded' | 'clientRemoved' | 'subscriptionAdded' | 'subscriptionRemoved' | 'observePing'
>;

interface ClientCells {
  readonly connectionsAccepted: CounterCell;
  readonly connections: GaugeCell;
  readonly subscriptionsAccepted: CounterCell;
  readonly subscriptions: GaugeCell;
  readonly ping: ObserverCell;
}

/**
 * Clients and their subscriptions by transport and by what they call themselves (channels-and-config §4.1): no name is on a
 * list of registered ones, so that there are two values of each label.
 */
export function createClientCells(metrics: Metrics): ClientMetrics {
  const labels = ['transport', 'client_name', 'client_version'] as const;
  const connectionsAccepted = metrics.counter({
    name: 'client_connections_accepted',
    help: 'Clients that have connected',
    labels,
  });
  const connections = metrics.gauge({ name: 'client_connections_inflight', help: 'Clients connected now', labels });
  const subscriptionsAccepted = metrics.counter({
    name: 'client_subscriptions_accepted',
    help: 'Subscriptions made',
    labels: ['client_name'],
  });
  const subscriptions = metrics.gauge({
    name: 'client_subscriptions_inflight',
    help: 'Subscriptions open now',
    labels: ['client_name'],
  });
  const pings = metrics.histogram({
    name: 'client_ping_pong_duration_seconds',
    help: 'From a ping to its pong',
    labels: ['transport'],
  });
  const actions = metrics.counter({ name: 'node_action_count', help: 'Internal operations', labels: ['action'] });
  const [addClient, removeClient, addSubscription, removeSubscription] = [
    actions.with({ action: 'add_client' }),
    actions.with({ action: 'remove_client' }),
    actions.with({ action: 'add_subscription' }),
    actions.with({ action: 'remove_subscription' }),
  ];
  const known = new Map<TransportName, ClientCells[]>();

  function cellsOf({ socket, appName, appVersion }: Session): ClientCells {
    const transport = socket.traits.name;
    let variants = known.get(transport);
    if (variants === undefined) known.set(transport, (variants = []));
    const variant = (appName === '' ? 0 : 1) + (appVersion === '' ? 0 : 2);
    return (variants[variant] ??= makeCells(transport, variant));
  }

  function makeCells(transport: TransportName, variant: number): ClientCells {
    const client_name = (variant & 1) === 0 ? 'unnamed' : 'unregistered';
    const client_version = (variant & 2) === 0 ? 'unversioned' : 'unregistered';
    return {
      connectionsAccepted: connectionsAccepted.with({ transport, client_name, client_version }),
      connections: connections.with({ transport, client_name, client_version }),
      subscriptionsAccepted: subscriptionsAccepted.with({ client_name }),
      subscriptions: subscriptions.with({ client_name }),
      ping: pings.with({ transport }),
    };
  }

  return {
    clientAdded(session) {
      const cells = cellsOf(session);
      addClient.inc();
      cells.connectionsAccepted.inc();
      cells.connections.inc();
    },
    clientRemoved(session) {
      removeClient.inc();
      cellsOf(session).connections.dec();
    },
    subscriptionAdded(session) {
      const cells = cellsOf(session);
      addSubscription.inc();
      cells.subscriptionsAccepted.inc();
      cells.subscriptions.inc();
    },
    subscriptionRemoved(session) {
      removeSubscription.inc();
      cellsOf(session).subscriptions.dec();
    },
    observePing: (session, seconds) => cellsOf(session).ping.observe(seconds),
  };
}

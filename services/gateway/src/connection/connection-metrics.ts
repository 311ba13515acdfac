import { durationFamily, type CounterCell, type Metrics, type ObserverCell } from '@carillon/service-kit';
import type { Session } from '../session/session.ts';
import type { ClientObserver } from '../session/session-table.ts';
import { createClientCells } from './client-cells.ts';

/** Counters of connections and their commands, cells looked up once. */
export interface ConnectionMetrics extends ClientObserver {
  subscriptionAdded(session: Session): void;
  subscriptionRemoved(session: Session): void;
  /** From a ping to its pong. */
  observePing(session: Session, seconds: number): void;
  observeCommand(method: string, seconds: number): void;
  countReplyError(method: string, code: number): void;
  countDisconnect(code: number): void;
  countUnsubscribe(code: number): void;
  /** `publications`: how many the client had missed and gets with the reply. */
  countRecover(recovered: boolean, publications: number): void;
}

/** Codes and methods come from closed tables or backends; this bounds what a backend can make us keep. */
const MAX_LABEL_SETS = 512;
const RECOVERED_BUCKETS: readonly number[] = [0, 1, 2, 5, 10, 20, 50, 100, 250, 500, 1000, 2500, 10_000];

export function createConnectionMetrics(metrics: Metrics): ConnectionMetrics {
  const counter = <L extends string>(name: string, help: string, labels: readonly L[]) =>
    metrics.counter({ name, help, labels });
  const durations = durationFamily(metrics, {
    name: 'client_command_duration_seconds',
    help: 'Handling of client commands',
    labels: ['method'],
  });
  const replyErrors = counter('client_num_reply_errors', 'Errors in replies to clients', ['method', 'code']);
  const disconnects = counter('client_num_server_disconnects', 'Connections ended by the server', ['code']);
  const unsubscribes = counter('client_num_server_unsubscribes', 'Subscriptions ended by the server', ['code']);
  const recoverLabels = ['recovered', 'has_recovered_publications'] as const;
  const recovers = counter('client_recover', 'Recovery attempts of subscriptions', recoverLabels);
  const recoveredPublications = metrics
    .histogram({
      name: 'client_recovered_publications',
      help: 'Missed publications in answers to recovery attempts',
      buckets: RECOVERED_BUCKETS,
    })
    .with({});
  const durationCell = boundedCells<ObserverCell>((method) => durations.with({ method }));
  const errorCell = boundedCells<CounterCell>((key) => {
    const [method = '', code = ''] = key.split(' ');
    return replyErrors.with({ method, code });
  });
  const disconnectCell = boundedCells<CounterCell>((code) => disconnects.with({ code }));
  const unsubscribeCell = boundedCells<CounterCell>((code) => unsubscribes.with({ code }));
  const recoverCell = boundedCells<CounterCell>((key) => {
    const [recovered = '', hasPublications = ''] = key.split(' ');
    return recovers.with({ recovered, has_recovered_publications: hasPublications });
  });

  return {
    ...createClientCells(metrics),
    observeCommand: (method, seconds) => durationCell(method)?.observe(seconds),
    countReplyError: (method, code) => errorCell(`${method} ${code}`)?.inc(),
    countDisconnect: (code) => disconnectCell(String(code))?.inc(),
    countUnsubscribe: (code) => unsubscribeCell(String(code))?.inc(),
    countRecover(isRecovered, publications) {
      recoverCell(`${isRecovered ? 'yes' : 'no'} ${publications > 0 ? 'yes' : 'no'}`)?.inc();
      if (isRecovered) recoveredPublications.observe(publications);
    },
  };
}

function boundedCells<Cell>(make: (key: string) => Cell): (key: string) => Cell | undefined {
  const cells = new Map<string, Cell>();
  return (key) => {
    let cell = cells.get(key);
    if (cell === undefined && cells.size < MAX_LABEL_SETS) cells.set(key, (cell = make(key)));
    return cell;
  };
}

import type { CounterCell, Metrics, ObserverCell } from '@carillon/service-kit';

/** Counters of connections and their commands, cells looked up once. */
export interface ConnectionMetrics {
  observeCommand(method: string, seconds: number): void;
  countReplyError(method: string, code: number): void;
  countDisconnect(code: number): void;
  countUnsubscribe(code: number): void;
  countRecover(recovered: boolean): void;
}

/** Codes and methods come from closed tables or backends; this bounds what a backend can make us keep. */
const MAX_LABEL_SETS = 512;

export function createConnectionMetrics(metrics: Metrics): ConnectionMetrics {
  const durations = metrics.histogram({
    name: 'client_command_duration_seconds',
    help: 'Handling of client commands',
    labels: ['method'],
  });
  const replyErrors = metrics.counter({
    name: 'client_num_reply_errors',
    help: 'Errors in replies to clients',
    labels: ['method', 'code'],
  });
  const disconnects = metrics.counter({
    name: 'client_num_server_disconnects',
    help: 'Connections ended by the server',
    labels: ['code'],
  });
  const unsubscribes = metrics.counter({
    name: 'client_num_server_unsubscribes',
    help: 'Subscriptions ended by the server',
    labels: ['code'],
  });
  const recovers = metrics.counter({
    name: 'client_recover',
    help: 'Recovery attempts of subscriptions',
    labels: ['recovered'],
  });
  const durationCell = boundedCells<ObserverCell>((method) => durations.with({ method }));
  const errorCell = boundedCells<CounterCell>((key) => {
    const [method = '', code = ''] = key.split(' ');
    return replyErrors.with({ method, code });
  });
  const disconnectCell = boundedCells<CounterCell>((code) => disconnects.with({ code }));
  const unsubscribeCell = boundedCells<CounterCell>((code) => unsubscribes.with({ code }));
  const recovered = recovers.with({ recovered: 'yes' });
  const unrecovered = recovers.with({ recovered: 'no' });

  return {
    observeCommand: (method, seconds) => durationCell(method)?.observe(seconds),
    countReplyError: (method, code) => errorCell(`${method} ${code}`)?.inc(),
    countDisconnect: (code) => disconnectCell(String(code))?.inc(),
    countUnsubscribe: (code) => unsubscribeCell(String(code))?.inc(),
    countRecover: (isRecovered) => (isRecovered ? recovered : unrecovered).inc(),
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

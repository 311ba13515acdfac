import type { CounterCell, Metrics } from '@carillon/service-kit';
import type { EdgeObserver } from './edge/edge-context.ts';
import type { TransportName } from './edge/socket.ts';

/** Codes of close frames come from closed tables or from backends; this bounds what a backend can make us keep. */
const MAX_CLOSE_CODES = 128;

/** Counts what the edge sees (channels-and-config §4.2). Cells are looked up once, so that messages only add. */
export function createEdgeMetrics(metrics: Metrics): EdgeObserver {
  const connectionLimit = metrics
    .counter({ name: 'node_client_connection_limit', help: 'Connections refused by client.connection_limit' })
    .with({});
  const cells = transportCells(metrics);
  return {
    onRefused(cause) {
      if (cause === 'connection_limit') connectionLimit.inc();
    },
    // Connections are counted as clients, when they have said who they are.
    onEntered: () => undefined,
    onLeft: () => undefined,
    onReceived(transport, bytes) {
      const { received, receivedBytes } = cells[transport];
      received.inc();
      receivedBytes.inc(bytes);
    },
    onSent(transport, bytes) {
      const { sent, sentBytes } = cells[transport];
      sent.inc();
      sentBytes.inc(bytes);
    },
    onPublished(transport, bytes, receivers) {
      const { sent, sentBytes } = cells[transport];
      sent.inc(receivers);
      sentBytes.inc(bytes * receivers);
    },
    onCloseFrame: (transport, code) => cells[transport].closeFrame(code)?.inc(),
  };
}

interface TransportCells {
  readonly received: CounterCell;
  readonly receivedBytes: CounterCell;
  readonly sent: CounterCell;
  readonly sentBytes: CounterCell;
  readonly closeFrame: (code: number) => CounterCell | undefined;
}

function transportCells(metrics: Metrics): Readonly<Record<TransportName, TransportCells>> {
  const counter = (name: string, help: string) => metrics.counter({ name, help, labels: ['transport'] });
  const received = counter('transport_messages_received', 'Messages received from clients');
  const receivedBytes = counter('transport_messages_received_size', 'Bytes of messages received from clients');
  const sent = counter('transport_messages_sent', 'Messages sent to clients');
  const sentBytes = counter('transport_messages_sent_size', 'Bytes of messages sent to clients');
  const closeFrames = metrics.counter({
    name: 'transport_outgoing_close_count',
    help: 'Close frames sent',
    labels: ['transport', 'code'],
  });
  const of = (transport: TransportName): TransportCells => ({
    received: received.with({ transport }),
    receivedBytes: receivedBytes.with({ transport }),
    sent: sent.with({ transport }),
    sentBytes: sentBytes.with({ transport }),
    closeFrame: boundedByCode((code) => closeFrames.with({ transport, code: String(code) })),
  });
  return {
    websocket: of('websocket'),
    sse: of('sse'),
    http_stream: of('http_stream'),
    uni_websocket: of('uni_websocket'),
    uni_sse: of('uni_sse'),
    uni_http_stream: of('uni_http_stream'),
    uni_grpc: of('uni_grpc'),
  };
}

function boundedByCode(make: (code: number) => CounterCell): (code: number) => CounterCell | undefined {
  const cells = new Map<number, CounterCell>();
  return (code) => {
    let cell = cells.get(code);
    if (cell === undefined && cells.size < MAX_CLOSE_CODES) cells.set(code, (cell = make(code)));
    return cell;
  };
}

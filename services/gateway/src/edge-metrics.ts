import type { CounterCell, Metrics } from '@carillon/service-kit';
import type { EdgeObserver } from './edge/edge-context.ts';
import type { TransportName } from './edge/socket.ts';
import type { CountReceived } from './connection/accept-connection.ts';
import type { FrameType } from './session/frame-type.ts';

/** Codes of close frames come from closed tables or from backends; this bounds what a backend can make us keep. */
const MAX_CLOSE_CODES = 128;

/** Counts what the edge sees, and commands of clients, which only their decoder can tell apart. */
export interface EdgeMetrics extends EdgeObserver {
  readonly onReceived: CountReceived;
}

/** Cells (channels-and-config §4.2) are looked up once, so that messages only add. */
export function createEdgeMetrics(metrics: Metrics): EdgeMetrics {
  const connectionLimit = metrics
    .counter({ name: 'node_client_connection_limit', help: 'Connections refused by client.connection_limit' })
    .with({});
  const received = messageCells(metrics, 'received', 'received from clients');
  const sent = messageCells(metrics, 'sent', 'sent to clients');
  const closeFrames = closeFrameCells(metrics);
  return {
    onRefused(cause) {
      if (cause === 'connection_limit') connectionLimit.inc();
    },
    // Connections are counted as clients, when they have said who they are.
    onEntered: () => undefined,
    onLeft: () => undefined,
    onReceived(transport, frameType, bytes) {
      const cells = received(transport, frameType);
      cells.messages.inc();
      cells.bytes.inc(bytes);
    },
    onSent(transport, frameType, bytes) {
      const cells = sent(transport, frameType);
      cells.messages.inc();
      cells.bytes.inc(bytes);
    },
    onPublished({ transport, frameType }, bytes, receivers) {
      const cells = sent(transport, frameType);
      cells.messages.inc(receivers);
      cells.bytes.inc(bytes * receivers);
    },
    onCloseFrame: (transport, code) => closeFrames[transport](code)?.inc(),
  };
}

interface MessageCells {
  readonly messages: CounterCell;
  readonly bytes: CounterCell;
}

/** The cells of a transport and type begin with the first message of it. */
function messageCells(metrics: Metrics, direction: 'received' | 'sent', help: string) {
  const labels = ['transport', 'frame_type'] as const;
  const messages = metrics.counter({ name: `transport_messages_${direction}`, help: `Messages ${help}`, labels });
  const bytes = metrics.counter({
    name: `transport_messages_${direction}_size`,
    help: `Bytes of messages ${help}`,
    labels,
  });
  const cells = forTransports((): Partial<Record<FrameType, MessageCells>> => ({}));
  return (transport: TransportName, frameType: FrameType): MessageCells => {
    const known = cells[transport][frameType];
    if (known !== undefined) return known;
    const values = { transport, frame_type: frameType };
    const made = { messages: messages.with(values), bytes: bytes.with(values) };
    cells[transport][frameType] = made;
    return made;
  };
}

function closeFrameCells(metrics: Metrics) {
  const closeFrames = metrics.counter({
    name: 'transport_outgoing_close_count',
    help: 'Close frames sent',
    labels: ['transport', 'code'],
  });
  return forTransports((transport) => boundedByCode((code) => closeFrames.with({ transport, code: String(code) })));
}

function forTransports<Value>(make: (transport: TransportName) => Value): Readonly<Record<TransportName, Value>> {
  return {
    websocket: make('websocket'),
    sse: make('sse'),
    http_stream: make('http_stream'),
    uni_websocket: make('uni_websocket'),
    uni_sse: make('uni_sse'),
    uni_http_stream: make('uni_http_stream'),
    uni_grpc: make('uni_grpc'),
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

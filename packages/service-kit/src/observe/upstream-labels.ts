/**
 * Labels that a metric has upstream and that are empty there without its paid edition (channels-and-config §4.1).
 * To Prometheus an empty label is none, but who reads the text expects them.
 */
const EMPTY_LABELS: Readonly<Record<string, readonly string[]>> = {
  node_messages_sent_count: ['channel_namespace'],
  node_messages_received_count: ['channel_namespace'],
  node_action_count: ['channel_namespace'],
  node_broadcast_duration_seconds: ['channel_namespace'],
  node_pub_sub_lag_seconds: ['channel_namespace'],
  node_tags_filter_dropped_publications: ['channel_namespace'],
  client_command_duration_seconds: ['channel_namespace'],
  client_command_duration_seconds_histogram: ['channel_namespace'],
  client_num_reply_errors: ['channel_namespace'],
  client_num_server_unsubscribes: ['channel_namespace'],
  client_recover: ['channel_namespace'],
  client_recovered_publications: ['channel_namespace'],
  client_connections_accepted: ['accept_protocol'],
  client_connections_inflight: ['accept_protocol'],
  client_subscriptions_accepted: ['channel_namespace'],
  client_subscriptions_inflight: ['channel_namespace'],
  transport_messages_sent: ['channel_namespace'],
  transport_messages_sent_size: ['channel_namespace'],
  transport_messages_received: ['channel_namespace'],
  transport_messages_received_size: ['channel_namespace'],
  broker_publish_suppressed_count: ['channel_namespace'],
};

/** Of all labels the last in their line. */
const BOUNDS: ReadonlySet<string> = new Set(['le', 'quantile']);

/**
 * A line of the text format, its name beginning at `nameStart` without the prefix, with the labels that its metric has
 * upstream, the empty ones too, in the order in which they are there: that of the alphabet.
 */
export function withUpstreamLabels(line: string, nameStart: number): string {
  if (line.startsWith('#')) return line;
  const name = /^\w+/.exec(line.slice(nameStart))?.[0] ?? '';
  const empty = EMPTY_LABELS[name] ?? EMPTY_LABELS[name.replace(/_(bucket|sum|count)$/, '')] ?? [];
  const end = nameStart + name.length;
  const [shown = ''] = /^\{(?:[^"}]|"(?:[^"\\]|\\.)*")*\}/.exec(line.slice(end)) ?? [];
  const labels = [...empty.map((label) => `${label}=""`), ...(shown.match(/\w+="(?:[^"\\]|\\.)*"/g) ?? [])];
  if (labels.length === 0) return line;
  return `${line.slice(0, end)}{${labels.toSorted(byName).join(',')}}${line.slice(end + shown.length)}`;
}

function byName(one: string, other: string): number {
  const [a, b] = [nameOf(one), nameOf(other)];
  if (BOUNDS.has(a) !== BOUNDS.has(b)) return BOUNDS.has(a) ? 1 : -1;
  return a < b ? -1 : 1;
}

function nameOf(label: string): string {
  return label.slice(0, label.indexOf('='));
}

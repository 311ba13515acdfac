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

/** A line of the text format, its name beginning at `nameStart` without the prefix, with the empty labels of its metric. */
export function withEmptyLabels(line: string, nameStart: number): string {
  if (line.startsWith('#')) return line;
  const name = /^\w+/.exec(line.slice(nameStart))?.[0] ?? '';
  const labels = EMPTY_LABELS[name] ?? EMPTY_LABELS[name.replace(/_(bucket|sum|count)$/, '')];
  if (labels === undefined) return line;
  const added = labels.map((label) => `${label}=""`).join(',');
  const end = nameStart + name.length;
  const rest = line.slice(end);
  return line.slice(0, end) + (rest.startsWith('{') ? `{${added},${rest.slice(1)}` : `{${added}}${rest}`);
}

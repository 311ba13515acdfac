/** A metric of upstream, without its prefix `centrifugo_`, as channels-and-config §4.2 and §4.3 list it. */
export interface UpstreamMetric {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary';
  readonly labels: readonly string[];
  /** Where it is in a cluster. */
  readonly service: 'gateway' | 'api' | 'auth-policy';
}

const NAMESPACE = 'channel_namespace';
const CLIENT = ['transport', 'accept_protocol', 'client_name', 'client_version'];
const FRAME = ['transport', 'frame_type', NAMESPACE];
const PROXY = ['protocol', 'type', 'name'];

/** The list in one place. What is not in it belongs to parts that do not exist here: consumers, maps,
 * shared polls, brokers on Redis and PostgreSQL, RPC of the server API
 * (`api_rpc_duration_seconds`: no method of it exists). */
export const UPSTREAM_METRICS: readonly UpstreamMetric[] = [
  of('gateway', 'counter', 'node_messages_sent_count', ['type', NAMESPACE]),
  of('gateway', 'counter', 'node_messages_received_count', ['type', NAMESPACE]),
  of('gateway', 'counter', 'node_action_count', ['action', NAMESPACE]),
  of('gateway', 'gauge', 'node_num_clients'),
  of('gateway', 'gauge', 'node_num_users'),
  of('gateway', 'gauge', 'node_num_subscriptions'),
  of('gateway', 'gauge', 'node_num_channels'),
  of('gateway', 'gauge', 'node_num_nodes'),
  of('gateway', 'gauge', 'node_build', ['version']),
  ...both('api', 'node_survey_duration_seconds', ['op']),
  of('gateway', 'histogram', 'node_broadcast_duration_seconds', ['type', NAMESPACE]),
  of('gateway', 'histogram', 'node_pub_sub_lag_seconds', ['type', NAMESPACE]),
  of('gateway', 'counter', 'node_tags_filter_dropped_publications', [NAMESPACE]),
  of('gateway', 'counter', 'node_client_connection_limit'),
  of('gateway', 'counter', 'node_incoming_http_requests_total', ['path', 'method', 'status']),
  of('api', 'counter', 'node_incoming_http_requests_total', ['path', 'method', 'status']),
  ...both('gateway', 'client_command_duration_seconds', ['method', NAMESPACE]),
  of('gateway', 'counter', 'client_num_reply_errors', ['method', 'code', NAMESPACE]),
  of('gateway', 'counter', 'client_num_server_disconnects', ['code']),
  of('gateway', 'counter', 'client_num_server_unsubscribes', ['code', NAMESPACE]),
  of('gateway', 'counter', 'client_recover', ['recovered', NAMESPACE, 'has_recovered_publications']),
  of('gateway', 'histogram', 'client_recovered_publications', [NAMESPACE]),
  of('gateway', 'histogram', 'client_ping_pong_duration_seconds', ['transport']),
  of('gateway', 'counter', 'client_connections_accepted', CLIENT),
  of('gateway', 'gauge', 'client_connections_inflight', CLIENT),
  of('gateway', 'counter', 'client_subscriptions_accepted', ['client_name', NAMESPACE]),
  of('gateway', 'gauge', 'client_subscriptions_inflight', ['client_name', NAMESPACE]),
  of('gateway', 'counter', 'transport_messages_sent', FRAME),
  of('gateway', 'counter', 'transport_messages_sent_size', FRAME),
  of('gateway', 'counter', 'transport_messages_received', FRAME),
  of('gateway', 'counter', 'transport_messages_received_size', FRAME),
  of('gateway', 'counter', 'transport_outgoing_close_count', ['transport', 'code']),
  ...both('auth-policy', 'proxy_duration_seconds', PROXY),
  of('auth-policy', 'counter', 'proxy_errors', PROXY),
  of('auth-policy', 'gauge', 'proxy_inflight_requests', PROXY),
  ...both('api', 'api_command_duration_seconds', ['protocol', 'method']),
  of('api', 'counter', 'api_command_errors_total', ['protocol', 'method', 'error']),
  of('api', 'counter', 'broker_publish_suppressed_count', ['reason', NAMESPACE]),
];

function of(
  service: UpstreamMetric['service'],
  type: UpstreamMetric['type'],
  name: string,
  labels: readonly string[] = [],
): UpstreamMetric {
  return { service, type, name, labels };
}

/** Upstream has these durations as a summary and as a histogram. */
function both(service: UpstreamMetric['service'], name: string, labels: readonly string[]): UpstreamMetric[] {
  return [of(service, 'summary', name, labels), of(service, 'histogram', `${name}_histogram`, labels)];
}

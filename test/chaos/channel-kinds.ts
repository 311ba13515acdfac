import type { Config } from '../harness/start-process.ts';
import type { ChannelRules } from './model/reference-log.ts';

const OPEN = { allow_subscribe_for_client: true, allow_publish_for_client: true, force_recovery: true };
export const SHARDS = 4;
const RECOVERY_LIMIT = 300;

/** Channels that keep enough, channels whose ring is soon overrun, and channels whose history soon expires. */
const KINDS = [
  { name: 'main', numChannels: 12, historySize: 300, historyTtlMs: 600_000 },
  { name: 'tiny', numChannels: 4, historySize: 8, historyTtlMs: 600_000 },
  { name: 'brief', numChannels: 2, historySize: 300, historyTtlMs: 3_000 },
] as const;

export const CHAOS_CONFIG: Config = {
  channel: {
    namespaces: KINDS.map(({ name, historySize, historyTtlMs }) => ({
      name,
      ...OPEN,
      history_size: historySize,
      history_ttl: `${historyTtlMs}ms`,
    })),
  },
  client: { queue_max_size: 262_144, recovery_max_publication_limit: RECOVERY_LIMIT },
  gateway: { drain_window: '1s' },
  nats: { shards: SHARDS, request_timeout: '3s' },
};

/** `tag` keeps the channels of runs on one cluster apart. */
export function channelRules(tag: string): ChannelRules[] {
  return KINDS.flatMap(({ name, numChannels, historySize, historyTtlMs }) =>
    Array.from({ length: numChannels }, (_, index) => ({
      channel: `${name}:${tag}${index}`,
      historySize,
      historyTtlMs,
      recoveryLimit: RECOVERY_LIMIT,
    })),
  );
}

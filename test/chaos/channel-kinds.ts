import type { Config } from '../harness/start-process.ts';
import type { ChannelRules } from './model/reference-log.ts';

const OPEN = {
  allow_subscribe_for_client: true,
  allow_publish_for_client: true,
  force_recovery: true,
  allowed_delta_types: ['fossil'],
  delta_publish: true,
  allow_tags_filter: true,
};
export const SHARDS = 4;
const RECOVERY_LIMIT = 300;

export interface ChannelKind extends Omit<ChannelRules, 'channel' | 'recoveryLimit'> {
  readonly name: string;
  readonly numChannels: number;
  /** Default: that of the product. */
  readonly metaTtl?: string | undefined;
}

/** Channels that keep enough, channels whose ring is soon overrun, and channels whose history soon expires. */
const KINDS: readonly ChannelKind[] = [
  { name: 'main', numChannels: 12, historySize: 300, historyTtlMs: 600_000 },
  { name: 'tiny', numChannels: 4, historySize: 8, historyTtlMs: 600_000 },
  { name: 'brief', numChannels: 2, historySize: 300, historyTtlMs: 3_000 },
  // For floods of large publications.
  { name: 'flood', numChannels: 1, historySize: 200, historyTtlMs: 600_000, isReserved: true },
];

/**
 * Two sizes for two configurations, and channels whose state is renewed by readers after 4 s of silence. Nothing here must
 * be silent for half a minute.
 */
export const TWO_SIZED_KINDS: readonly ChannelKind[] = [
  { name: 'main', numChannels: 6, historySize: 60, largestHistorySize: 150, historyTtlMs: 600_000 },
  { name: 'tiny', numChannels: 4, historySize: 5, largestHistorySize: 17, historyTtlMs: 600_000 },
  {
    name: 'quiet',
    numChannels: 4,
    historySize: 20,
    largestHistorySize: 30,
    historyTtlMs: 30_000,
    metaTtl: '32s',
    isReserved: true,
  },
];

/** `isLarge`: with the larger of two sizes. */
export function namespacesOf(kinds: readonly ChannelKind[], isLarge = false): Config {
  const namespaces = kinds.map(({ name, historySize, largestHistorySize = historySize, historyTtlMs, metaTtl }) => ({
    name,
    ...OPEN,
    history_size: isLarge ? largestHistorySize : historySize,
    history_ttl: `${historyTtlMs}ms`,
    ...(metaTtl === undefined ? {} : { history_meta_ttl: metaTtl }),
  }));
  return { channel: { namespaces } };
}

export const CHAOS_CONFIG: Config = {
  ...namespacesOf(KINDS),
  client: { queue_max_size: 262_144, recovery_max_publication_limit: RECOVERY_LIMIT },
  gateway: { drain_window: '1s' },
  nats: { shards: SHARDS, request_timeout: '3s' },
};

/** `tag` keeps the channels of runs on one cluster apart. */
export function channelRules(tag: string, kinds: readonly ChannelKind[] = KINDS): ChannelRules[] {
  return kinds.flatMap(({ name, numChannels, ...rules }) =>
    Array.from({ length: numChannels }, (_, index) => ({
      channel: `${name}:${tag}${index}`,
      ...rules,
      recoveryLimit: RECOVERY_LIMIT,
    })),
  );
}

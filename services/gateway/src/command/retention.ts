import type { Retention } from '@carillon/cluster';
import { hasHistory } from '@carillon/policy';
import type { ChannelOptions } from '@carillon/protocol/channel';

/** How the namespace keeps its streams; undefined where it keeps none. */
export function retentionOf(options: ChannelOptions, defaultMetaTtlMs: number): Retention | undefined {
  if (!hasHistory(options)) return undefined;
  return {
    historySize: options.historySize,
    historyTtlMs: options.historyTtlMs,
    historyMetaTtlMs: options.historyMetaTtlMs > 0 ? options.historyMetaTtlMs : defaultMetaTtlMs,
  };
}

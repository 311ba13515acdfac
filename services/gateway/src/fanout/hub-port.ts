import type { Publication } from '@carillon/protocol/client';
import type { FilterNode } from '@carillon/protocol/client';
import type { StreamPosition } from '@carillon/protocol/channel';
import type { Retention } from '@carillon/cluster';
import type { Subscriber } from './subscriber.ts';

/**
 * The channel hub as commands use it. Subscribing is two steps, because the reply must be on the wire before any push:
 * `open` joins the channel, buffers live publications and reads what recovery needs; `finish`, in the same event-loop
 * turn in which the caller sends its reply, merges both and goes live.
 */
export interface ChannelHub {
  /**
   * Rejects with `ClientError` 105 for a channel that the subscriber has or is opening, otherwise with what the broker
   * rejects with (`OperationalError`, `BrokerError`). Nothing is left behind then.
   */
  open(subscriber: Subscriber, channel: string, options: OpenOptions): Promise<OpenSubscription>;
  /** Ends a subscription (live or still opening). Unknown ones are fine. */
  close(subscriber: Subscriber, channel: string): void;
  /** Subscribers of this node by channel; for surveys and gauges. */
  channelCounts(): ReadonlyMap<string, number>;
  readonly numChannels: number;
  readonly numSubscriptions: number;
}

export interface OpenOptions {
  /** The channel keeps a stream. Without it `positioned` and `recoverable` make an empty one where asked (§4.1). */
  readonly retention?: Retention | undefined;
  readonly positioned: boolean;
  readonly recoverable: boolean;
  readonly recoveryMode: 'stream' | 'cache';
  /** The client asked to recover from here (§4.5). Absent: not asked. */
  readonly recoverFrom?: StreamPosition | undefined;
  /** Cache mode without being asked (`auto_cache_recover`, `cache_recover`). */
  readonly autoCacheRecover?: boolean | undefined;
  /** Answer error 112 instead of subscribing when recovery fails (flag bit 1). */
  readonly rejectUnrecovered?: boolean | undefined;
  /** Fossil delta was negotiated. */
  readonly delta: boolean;
  /** Valid filter, or absent. */
  readonly filter?: FilterNode | undefined;
  /** Deliver join and leave pushes. */
  readonly pushJoinLeave: boolean;
  /** Most publications a recovery returns (client.recovery_max_publication_limit; 0 = unlimited). */
  readonly recoveryLimit: number;
}

export interface OpenSubscription {
  /**
   * Merges and goes live. Throws `Disconnect` 3010 on a hole, 3506 for a recovered payload that JSON can't carry, 3000 when the subscriber
   * closed the channel meanwhile, and `ClientError` 112 for `rejectUnrecovered`;
   * the subscription is then already closed.
   */
  finish(): OpenedState;
  /** Gives up before `finish`; harmless after it. */
  abandon(): void;
}

/** Fields of SubscribeResult that the stream decides (§4.4 to §4.6). */
export interface OpenedState {
  readonly positioned: boolean;
  readonly recoverable: boolean;
  /** Undefined unless positioned. */
  readonly epoch?: string | undefined;
  readonly offset?: number | undefined;
  readonly wasRecovering: boolean;
  readonly recovered: boolean;
  /** Already in the subscriber's data form (delta patches and JSON strings, §5.2), ascending. */
  readonly publications: readonly Publication[];
  readonly delta: boolean;
}

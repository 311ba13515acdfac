import type { Retention } from '@carillon/cluster';

/** Bounds and delays of the channel hub. */
export interface HubSettings {
  /** How long a channel stays joined after its last subscriber left, ms (channels-and-config §2.6: at least 1 s). */
  readonly partDelayMs: number;
  /** Silence on a positioned channel after which its position is compared with the broker's, ms; 0 = never (§4.7). */
  readonly positionCheckDelayMs: number;
  /** Age of a publication on arrival beyond which positions count as lost, ms; 0 = no limit. */
  readonly positionMaxLagMs: number;
  /** Position checks at the broker at one time; the others wait for the next second. */
  readonly maxPositionChecks: number;
  /** Live publications a channel holds back while a subscriber recovers. Beyond it those that need them get 3010. */
  readonly maxPendingPublications: number;
  /** The same bound in payload bytes. */
  readonly maxPendingBytes: number;
  /** Stream of a channel without history whose position is asked for all the same (§4.1): only its epoch matters. */
  readonly positionOnlyRetention: Retention;
}

const DAY_MS = 86_400_000;

export const DEFAULT_HUB_SETTINGS: HubSettings = {
  partDelayMs: 1_000,
  positionCheckDelayMs: 40_000,
  positionMaxLagMs: 0,
  maxPositionChecks: 64,
  maxPendingPublications: 4_096,
  maxPendingBytes: 16_777_216,
  positionOnlyRetention: { historySize: 1, historyTtlMs: 60_000, historyMetaTtlMs: 30 * DAY_MS },
};

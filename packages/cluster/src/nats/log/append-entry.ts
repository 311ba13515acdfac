// What waits to be written to a channel's log.
import type { OperationalError } from '@carillon/service-kit';
import type { PublishResult, Retention } from '../../broker.ts';
import type { LogState } from '../record/log-record.ts';
import type { PublicationBody } from '../record/publication-body.ts';

interface Entry {
  /** On the monotonic clock. */
  readonly deadlineAt: number;
  reject(error: OperationalError): void;
}

export interface PublicationEntry extends Entry {
  readonly kind: 'publication';
  readonly retention: Retention;
  readonly body: PublicationBody;
  /** Empty: none. */
  readonly idempotencyKey: string;
  readonly versionEpoch: string;
  /** Another node may have stored it already: look for its nonce first. */
  readonly isRepeat: boolean;
  /** With `isRepeat`: not stored before, wall clock, ms. */
  readonly askedAt?: number | undefined;
  resolve(result: PublishResult): void;
}

/** Takes an idempotency key for a publication outside the stream. Resolves with the result of whoever has had it before. */
export interface ClaimEntry extends Entry {
  readonly kind: 'claim';
  readonly retention: Retention;
  readonly idempotencyKey: string;
  resolve(result: PublishResult): void;
}

/** What may have an idempotency key. */
export type KeyedEntry = PublicationEntry | ClaimEntry;

/** Changes the state without a publication. `touch` also creates; `remove` resolves undefined where there is nothing. */
export interface MarkEntry extends Entry {
  readonly kind: 'touch' | 'remove';
  readonly retention: Retention;
  resolve(state: LogState | undefined): void;
}

/** Says again where the channel stands, in a mark that outlives its publications; nothing where one does so already. */
export interface RestEntry extends Entry {
  readonly kind: 'rest';
  resolve(state: LogState | undefined): void;
}

export type AppendEntry = KeyedEntry | MarkEntry | RestEntry;

/**
 * An entry of which an attempt went unanswered. It may be on its way through a replicated log still, which refuses all
 * others at its slot until it is there: so it is looked for each time before it is sent anew.
 */
export function asRepeat(entry: AppendEntry, askedAt: number): AppendEntry {
  return entry.kind === 'publication' && !entry.isRepeat ? { ...entry, isRepeat: true, askedAt } : entry;
}

export function isKeyed(entry: AppendEntry): entry is KeyedEntry {
  return entry.kind === 'publication' || entry.kind === 'claim';
}

export function isSameRetention(a: Retention, b: Retention): boolean {
  return (
    a === b ||
    (a.historySize === b.historySize && a.historyTtlMs === b.historyTtlMs && a.historyMetaTtlMs === b.historyMetaTtlMs)
  );
}

// Which waiting entries the next record takes, and what it says. Pure but for the epoch, which is random.
import type { StreamPosition } from '@carillon/protocol/channel';
import type { LogRecord, LogState } from '../record/log-record.ts';
import { MAX_BATCH } from '../record/log-record.ts';
import { isSameRetention, type AppendEntry, type MarkEntry, type PublicationEntry } from './append-entry.ts';
import { afterMark, afterPublications, initialState, isMetaExpired, isVersionSuppressed } from './log-state.ts';

export type AppendStep =
  /** Answer without a record; `entry` has left the queue. */
  | {
      readonly kind: 'answer';
      readonly entry: PublicationEntry;
      readonly suppressed: 'idempotency' | 'version';
      readonly position: StreamPosition;
    }
  | { readonly kind: 'answer_mark'; readonly entry: MarkEntry; readonly state: LogState | undefined }
  /** Append the record, then answer the entries, which have left the queue. */
  | { readonly kind: 'append'; readonly record: LogRecord; readonly entries: readonly AppendEntry[] };

export interface StepContext {
  /** Newest state of the channel; undefined: none. */
  readonly state: LogState | undefined;
  readonly nowMs: number;
  readonly createEpoch: () => string;
  readonly findKey: (key: string) => StreamPosition | undefined;
}

/** Bytes of publications in one record, unless one alone has more. */
const MAX_BATCH_BYTES = 64 * 1_024;

/** Takes entries from the front of `queue`; undefined when it is empty. */
export function nextStep(queue: AppendEntry[], context: StepContext): AppendStep | undefined {
  const first = queue[0];
  if (first === undefined) return undefined;
  const { state, nowMs } = context;
  const known = state === undefined || isMetaExpired(state, first.retention, nowMs) ? undefined : state;
  if (first.kind !== 'publication') {
    queue.shift();
    return markStep(first, known, context);
  }
  const answer = suppression(first, known, context);
  if (answer !== undefined) {
    queue.shift();
    return answer;
  }
  const before = known ?? initialState(context.createEpoch(), first.retention);
  const entries = takeBatch(queue, first, before);
  const versioned = entries.findLast(({ body }) => body.version > 0);
  const after = afterPublications(before, {
    retention: first.retention,
    count: entries.length,
    nowMs,
    version: versioned?.body.version ?? 0,
    versionEpoch: versioned?.versionEpoch ?? '',
  });
  return { kind: 'append', record: { state: after, bodies: entries.map(({ body }) => body) }, entries };
}

function markStep(entry: MarkEntry, known: LogState | undefined, { nowMs, createEpoch }: StepContext): AppendStep {
  if (entry.kind === 'remove' && known === undefined) return { kind: 'answer_mark', entry, state: undefined };
  const before = known ?? initialState(createEpoch(), entry.retention);
  const after = afterMark(before, entry.retention, nowMs, entry.kind === 'remove');
  return { kind: 'append', record: { state: after, bodies: [] }, entries: [entry] };
}

/** Idempotency comes before the version (channels-and-config §2.3). */
function suppression(
  entry: PublicationEntry,
  known: LogState | undefined,
  context: StepContext,
): AppendStep | undefined {
  const position = entry.idempotencyKey === '' ? undefined : context.findKey(entry.idempotencyKey);
  if (position !== undefined) return { kind: 'answer', entry, suppressed: 'idempotency', position };
  if (known === undefined || !isVersionSuppressed(known, entry.body.version, entry.versionEpoch)) return undefined;
  return { kind: 'answer', entry, suppressed: 'version', position: { offset: known.offset, epoch: known.epoch } };
}

function takeBatch(queue: AppendEntry[], first: PublicationEntry, before: LogState): PublicationEntry[] {
  const batch: PublicationEntry[] = [first];
  let bytes = first.body.data.length;
  let versions = first.body.version > 0 ? versionState(before, first) : before;
  while (first.idempotencyKey === '' && batch.length < MAX_BATCH) {
    const next = queue[batch.length];
    // A key is the id of its record, so it travels alone. What must be suppressed is answered after the batch.
    if (next?.kind !== 'publication' || next.idempotencyKey !== '' || next.isRepeat) break;
    if (!isSameRetention(next.retention, first.retention)) break;
    if (isVersionSuppressed(versions, next.body.version, next.versionEpoch)) break;
    bytes += next.body.data.length;
    if (bytes > MAX_BATCH_BYTES) break;
    if (next.body.version > 0) versions = versionState(versions, next);
    batch.push(next);
  }
  queue.splice(0, batch.length);
  return batch;
}

function versionState(state: LogState, entry: PublicationEntry): LogState {
  return { ...state, version: entry.body.version, versionEpoch: entry.versionEpoch };
}

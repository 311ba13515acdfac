// Which waiting entries the next record takes, and what it says. Pure but for the epoch, which is random.
import type { StreamPosition } from '@carillon/protocol/channel';
import type { RingSlot } from '../nats-subjects.ts';
import type { LogRecord, LogState } from '../record/log-record.ts';
import { MAX_BATCH } from '../record/log-record.ts';
import { isKeyed, isSameRetention } from './append-entry.ts';
import type { AppendEntry, ClaimEntry, KeyedEntry, MarkEntry, PublicationEntry, RestEntry } from './append-entry.ts';
import type { PublicationBody } from '../record/publication-body.ts';
import { afterMark, afterPublications, initialState, isVersionSuppressed, nextSlot } from './log-state.ts';
import { isMetaExpired, needsRest, visibleFloor } from './log-state.ts';

export type AppendStep =
  /** Answer without a record; `entry` has left the queue. */
  | {
      readonly kind: 'answer';
      readonly entry: KeyedEntry;
      readonly suppressed: 'idempotency' | 'version';
      readonly position: StreamPosition;
    }
  | { readonly kind: 'answer_mark'; readonly entry: MarkEntry | RestEntry; readonly state: LogState | undefined }
  /** Append the record, then answer the entries, which have left the queue. */
  | {
      readonly kind: 'append';
      readonly record: LogRecord;
      readonly slot: RingSlot;
      readonly entries: readonly AppendEntry[];
    };

export interface StepContext {
  /** Newest state of the channel; undefined: none. */
  readonly state: LogState | undefined;
  /** Whether a mark says it, which lives as long as epoch and offset do. */
  readonly isMarked: boolean;
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
  if (first.kind === 'rest') {
    queue.shift();
    return restStep(first, context);
  }
  const known = state === undefined || isMetaExpired(state, first.retention, nowMs) ? undefined : state;
  const answer = isKeyed(first) ? suppression(first, known, context) : undefined;
  if (answer !== undefined) {
    queue.shift();
    return answer;
  }
  if (first.kind !== 'publication') {
    queue.shift();
    return markStep(first, known, context);
  }
  const before = known ?? initialState(context.createEpoch(), first.retention, state);
  const entries = takeBatch(queue, first, before);
  const versioned = entries.length === 1 ? first : entries.findLast(({ body }) => body.version > 0);
  const after = afterPublications(before, {
    retention: first.retention,
    count: entries.length,
    nowMs,
    version: versioned?.body.version ?? 0,
    versionEpoch: versioned?.versionEpoch ?? '',
  });
  const hasPrevious = visibleFloor(before, first.retention, nowMs) <= before.offset;
  const bodies = entries.map(({ body }, at) => (hasPrevious || at > 0 ? body : withoutPatch(body)));
  return { kind: 'append', record: { state: after, bodies }, slot: nextSlot(before), entries };
}

/** compat: there is no patch to what is no longer kept (client-protocol §5.3). */
function withoutPatch(body: PublicationBody): PublicationBody {
  return body.isDelta ? { ...body, isDelta: false } : body;
}

function markStep(entry: MarkEntry | ClaimEntry, known: LogState | undefined, context: StepContext): AppendStep {
  if (entry.kind === 'remove' && known === undefined) return { kind: 'answer_mark', entry, state: undefined };
  const before = known ?? initialState(context.createEpoch(), entry.retention, context.state);
  const after = afterMark(before, entry.retention, context.nowMs, entry.kind === 'remove');
  return { kind: 'append', record: { state: after, bodies: [] }, slot: nextSlot(before), entries: [entry] };
}

function restStep(entry: RestEntry, { state, isMarked, nowMs }: StepContext): AppendStep {
  const isNeeded = state !== undefined && !isMarked && needsRest(state) && nowMs <= state.writtenAt + state.metaTtlMs;
  if (!isNeeded) return { kind: 'answer_mark', entry, state };
  return { kind: 'append', record: { state, bodies: [] }, slot: nextSlot(state), entries: [entry] };
}

/** Idempotency comes before the version (channels-and-config §2.3). */
function suppression(entry: KeyedEntry, known: LogState | undefined, context: StepContext): AppendStep | undefined {
  const position = entry.idempotencyKey === '' ? undefined : context.findKey(entry.idempotencyKey);
  if (position !== undefined) return { kind: 'answer', entry, suppressed: 'idempotency', position };
  if (entry.kind === 'claim' || known === undefined) return undefined;
  if (!isVersionSuppressed(known, entry.body.version, entry.versionEpoch)) return undefined;
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
  if (batch.length === queue.length) queue.length = 0;
  else queue.splice(0, batch.length);
  return batch;
}

function versionState(state: LogState, entry: PublicationEntry): LogState {
  return { ...state, version: entry.body.version, versionEpoch: entry.versionEpoch };
}

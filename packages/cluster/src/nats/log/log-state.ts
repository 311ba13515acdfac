// How a channel's stream moves from one record to the next. Pure: the writer's compare-and-set makes each step happen once.
import type { Retention } from '../../broker.ts';
import type { RingSlot } from '../nats-subjects.ts';
import type { LogRecord, LogState } from '../record/log-record.ts';

/** A log record lives at least so long: many times what a mark that outlives it may be late. */
export const MIN_RECORD_LIFE_MS: number = 10 * 60_000;
/** A record of a channel that publishes rarely lives at most so long, or twice the history ttl if that is more. */
const MAX_RECORD_LIFE_MS = 30 * 24 * 60 * 60_000;

/** Clocks of nodes and of NATS may differ so much before an epoch is forgotten that should not be, ms. */
const MARK_SLACK_MS = 60_000;

/**
 * Where the next record of a channel goes, whatever it is: what every writer compares and sets. A mark is stored there as
 * well, and the next publication on top of it.
 */
export function nextSlot({ slots, index }: LogState): RingSlot {
  return { slots, index: index + 1 };
}

/** Whether what lies at the slot of a record to come is not from an earlier turn of the ring: somebody has written since. */
export function isLater(found: LogRecord | undefined, slot: RingSlot): boolean {
  if (found === undefined) return false;
  // A mark lies at the slot after its index.
  const index = found.bodies.length === 0 ? found.state.index + 1 : found.state.index;
  return index >= slot.index;
}

/** Whether the slot of the next record has never been used: the ring has not come round yet. */
export function isNewSlot({ index, ringIndex, slots }: LogState): boolean {
  return index + 1 - ringIndex < slots;
}

/**
 * The state that the first record of a new epoch follows. `before`: what is left of the time before, if anything; its ring
 * goes on, so that whoever still writes for the old epoch meets us at the same slot.
 */
export function initialState(epoch: string, retention: Retention, before?: LogState): LogState {
  const index = before?.index ?? 0;
  return {
    epoch,
    offset: 0,
    floor: 1,
    index,
    slots: before?.slots ?? retention.historySize + 1,
    ringIndex: before?.ringIndex ?? 1,
    ringSince: 1,
    previousSlots: 0,
    writtenAt: 0,
    metaTtlMs: retention.historyMetaTtlMs,
    publishedAt: 0,
    expiresAt: 0,
    version: 0,
    versionEpoch: '',
  };
}

/** Whether epoch and offset are forgotten. */
export function isMetaExpired(state: LogState, retention: Retention, nowMs: number): boolean {
  return nowMs - state.writtenAt > retention.historyMetaTtlMs;
}

/** A state that counts as expired: its ring goes on under a new epoch. */
export function forgotten(state: LogState): LogState {
  return { ...state, writtenAt: 0 };
}

/** Whether the log has less of an epoch than it has acknowledged. */
export function isBehind(found: LogState | undefined, acknowledged: LogState | undefined): boolean {
  return found !== undefined && found.epoch === acknowledged?.epoch && found.offset < acknowledged.offset;
}

/** Whether a read should renew the life of epoch and offset. Not each one: a write per read would be dear. */
export function needsTouch(state: LogState, retention: Retention, nowMs: number): boolean {
  return nowMs - state.writtenAt > retention.historyMetaTtlMs / 8;
}

/** The oldest offset a reader may see now; `offset` + 1 when there is none. */
export function visibleFloor(state: LogState, retention: Retention, nowMs: number): number {
  const isExpired = state.publishedAt === 0 || nowMs - state.publishedAt > retention.historyTtlMs;
  return isExpired ? state.offset + 1 : state.floor;
}

export interface PublicationStep {
  readonly retention: Retention;
  readonly count: number;
  readonly nowMs: number;
  /** Of the newest publication that has one; 0: the stored one stays. */
  readonly version: number | bigint;
  readonly versionEpoch: string;
}

/** The state after `count` more publications. */
export function afterPublications(before: LogState, step: PublicationStep): LogState {
  const { retention, count, nowMs } = step;
  const offset = before.offset + count;
  const index = before.index + 1;
  let floor = Math.max(visibleFloor(before, retention, nowMs), offset - retention.historySize + 1);
  let { slots, ringIndex, ringSince, previousSlots } = before;
  const wantedSlots = retention.historySize + 1;
  // A smaller size only moves the floor: nodes that disagree for the time of a roll-out must not swap rings to and fro.
  if (wantedSlots > slots) {
    // Two older rings are one too many to read: what is left in the first of them is given up.
    if (previousSlots !== 0) floor = Math.max(floor, ringSince);
    // This record is still where other writers expect it; the next one begins the new ring.
    previousSlots = slots;
    slots = wantedSlots;
    ringIndex = index + 1;
    ringSince = offset + 1;
  }
  if (floor >= ringSince) previousSlots = 0;
  const hasVersion = step.version > 0;
  return {
    epoch: before.epoch,
    offset,
    floor,
    index,
    slots,
    ringIndex,
    ringSince,
    previousSlots,
    writtenAt: nowMs,
    metaTtlMs: retention.historyMetaTtlMs,
    publishedAt: nowMs,
    expiresAt: lifeEnd(before, retention, nowMs),
    version: hasVersion ? step.version : before.version,
    versionEpoch: hasVersion ? step.versionEpoch : before.versionEpoch,
  };
}

/** The state after a record without publications: created, touched, or removed when `isRemoval`. */
export function afterMark(before: LogState, retention: Retention, nowMs: number, isRemoval: boolean): LogState {
  const floor = isRemoval ? before.offset + 1 : before.floor;
  return {
    ...before,
    floor,
    previousSlots: floor >= before.ringSince ? 0 : before.previousSlots,
    writtenAt: nowMs,
    metaTtlMs: retention.historyMetaTtlMs,
  };
}

/** When a record may go, ms since 1970: a mark as late as epoch and offset, and never sooner than a publication. */
export function recordEnd({ state, bodies }: LogRecord): number {
  if (bodies.length > 0) return state.expiresAt;
  return Math.max(state.expiresAt, state.writtenAt + state.metaTtlMs + MARK_SLACK_MS);
}

/** Whether epoch and offset would be forgotten too soon if a publication stayed the newest record: a mark must follow. */
export function needsRest({ expiresAt, writtenAt, metaTtlMs }: LogState): boolean {
  return expiresAt < writtenAt + metaTtlMs;
}

/**
 * The list as a whole dies `historyTtl` after its newest publication, so its oldest record must live until it is pushed
 * out by size: at most size × ttl. Never sooner than an older record: the newest one of the log is always its top.
 */
function lifeEnd(before: LogState, { historySize, historyTtlMs }: Retention, nowMs: number): number {
  const wholeListMs = (historySize + 1) * historyTtlMs;
  const lifeMs = Math.min(wholeListMs, Math.max(2 * historyTtlMs, MAX_RECORD_LIFE_MS));
  return Math.max(before.expiresAt, nowMs + Math.max(lifeMs, MIN_RECORD_LIFE_MS));
}

/** Whether a publish of this version is to be left out (channels-and-config §2.3). */
export function isVersionSuppressed(state: LogState, version: number | bigint, versionEpoch: string): boolean {
  if (version <= 0 || version > state.version) return false;
  return versionEpoch === '' || versionEpoch === state.versionEpoch;
}

// The writing end of one channel: a queue, and one append in flight. Correct with any number of writers anywhere, since each
// append is a compare-and-set on the channel's last sequence; keeping to one writer only makes conflicts rare.
import type { StreamPosition } from '@carillon/protocol/channel';
import { OperationalError, type Clock, type Log, type TimerHandle } from '@carillon/service-kit';
import type { BrokerMetrics } from '../broker-metrics.ts';
import type { NatsLink } from '../nats-connection.ts';
import type { ChannelLogSubjects, RingSlot } from '../nats-subjects.ts';
import type { LogRecord, LogState } from '../record/log-record.ts';
import type { AppendHandler, AppendMessage, AppendOutcome, LogPublisher } from '../request/log-publisher.ts';
import { asRepeat, isKeyed, type AppendEntry, type KeyedEntry } from './append-entry.ts';
import { nextStep, type AppendStep } from './append-step.ts';
import { messageIdOf, type IdempotencyWindow } from './idempotency-window.ts';
import type { LogReader, LogTop } from './log-reader.ts';
import {
  forgotten,
  isBehind,
  isLater,
  isNewSlot,
  MIN_RECORD_LIFE_MS,
  needsRest,
  nextSlot,
  recordEnd,
} from './log-state.ts';
import { asReadError, inDoubtError } from './log-errors.ts';
import { findRecord, isOfAttempt, RepeatSearch } from './repeat-search.ts';
import { SlotSequences, type SequenceBudget } from './slot-sequences.ts';

/** What all channels of a writer share. */
export interface ChannelLogDependencies {
  readonly link: NatsLink;
  readonly publisher: LogPublisher;
  readonly reader: LogReader;
  readonly clock: Clock;
  readonly log: Log;
  readonly idempotency: IdempotencyWindow;
  readonly sequences: SequenceBudget;
  /** The channel needs a mark some time after this publication. */
  readonly onUnmarked: (channel: string) => void;
  readonly createEpoch: () => string;
  readonly metrics: BrokerMetrics;
}

/** An acknowledgement that takes longer counts as lost: the same record is sent again. */
const ATTEMPT_TIMEOUT_MS = 1_000;
const FIRST_BACKOFF_MS = 20;
const MAX_BACKOFF_MS = 500;
const MAX_WAITING = 2_000;
/**
 * What is known of a channel counts for so long after the log said it last. Others may have written since; while their
 * records live the compare-and-set finds that out, but a slot whose record has run out looks like one never written to.
 */
const MAX_TRUST_MS = MIN_RECORD_LIFE_MS / 2;
/** Slots whose sequence is read at a time: one for who publishes once, more for who goes on. */
const MAX_SLOTS_READ = 64;
/** The position of a publication outside the stream. */
const OUTSIDE: StreamPosition = { offset: 0, epoch: '' };

/** Of {@link AppendMessage}. */
interface Expectation {
  readonly sequence: number;
  readonly filter: string | undefined;
}

interface InFlight {
  readonly step: AppendStep & { kind: 'append' };
  /** Undefined until it is known what its slot holds. */
  message: AppendMessage | undefined;
  /** An earlier attempt may have been stored, or still be. */
  isInDoubt: boolean;
  /** When it was made, wall clock, ms. */
  readonly begunAt: number;
}

export class ChannelLog implements AppendHandler {
  readonly channel: string;
  readonly #shared: ChannelLogDependencies;
  readonly #subjects: ChannelLogSubjects;
  readonly #queue: AppendEntry[] = [];
  #state: LogState | undefined;
  /** The newest record is a mark. */
  #isMarked = false;
  readonly #sequences: SlotSequences;
  /** Of the newest message, when it was looked for. */
  #topSequence = 0;
  #slotsToRead = 1;
  #isLoaded = false;
  /** When the log has last confirmed what is known, on the monotonic clock. */
  #confirmedAt = 0;
  /** The log is to be searched for publications in the queue. */
  #hasRepeats = false;
  /** Loading, waiting or in flight: somebody will call `#advance` again. */
  #isBusy = false;
  #inFlight: InFlight | undefined;
  #conflicts = 0;
  #backoffMs = FIRST_BACKOFF_MS;
  #timer: TimerHandle | undefined;

  constructor(channel: string, shared: ChannelLogDependencies) {
    this.channel = channel;
    this.#shared = shared;
    this.#subjects = shared.link.subjects.logOf(channel);
    this.#sequences = new SlotSequences(shared.sequences);
  }

  get isIdle(): boolean {
    return !this.#isBusy && this.#queue.length === 0;
  }

  push(entry: AppendEntry): void {
    if (this.#queue.length >= MAX_WAITING) {
      entry.reject(new OperationalError('log_overloaded', `${MAX_WAITING} publications of the channel are waiting`));
      return;
    }
    // Another node may have written since we looked.
    if (entry.kind === 'publication' && entry.isRepeat) this.#hasRepeats = true;
    this.#queue.push(entry);
    if (!this.#isBusy) this.#advance();
  }

  /** What is known counts no more: the next append looks again. */
  distrust(): void {
    this.#isLoaded = false;
    this.#sequences.clear();
  }

  /** Gives back what it holds; for an idle one that nobody will use again. */
  forget(): void {
    this.#sequences.clear();
  }

  close(error: OperationalError): void {
    this.#timer?.cancel();
    this.#sequences.clear();
    this.#isBusy = true;
    const entries = [...(this.#inFlight?.step.entries ?? []), ...this.#queue.splice(0)];
    this.#inFlight = undefined;
    for (const entry of entries) entry.reject(error);
  }

  onOutcome(outcome: AppendOutcome): void {
    const flight = this.#inFlight;
    if (flight === undefined) return;
    switch (outcome.kind) {
      case 'stored':
        this.#onStored(flight.step, outcome.sequence);
        return;
      case 'duplicate':
        this.#supervise(this.#answerDuplicate(flight, outcome.sequence));
        return;
      case 'conflict':
        // Where a log has just changed its leader the old one may refuse what the new one stores.
        this.#supervise(this.#settleDoubt(flight));
    }
  }

  onFailure(error: OperationalError, isInDoubt: boolean): void {
    const flight = this.#inFlight;
    if (flight === undefined) return;
    this.#shared.metrics.appendRetries.inc();
    if (isInDoubt) flight.isInDoubt = true;
    const now = this.#shared.clock.monotonic();
    const isLate = flight.step.entries.every((entry) => entry.deadlineAt <= now);
    if (error.retriable && !isLate) {
      this.#rejectExpired();
      this.#afterPause(() => this.#send(flight));
      return;
    }
    // What became of it we learn from the next load; until then nothing is appended.
    this.#inFlight = undefined;
    this.#isLoaded = false;
    for (const entry of flight.step.entries) entry.reject(error);
    this.#advance();
  }

  #advance(): void {
    this.#isBusy = false;
    this.#rejectExpired();
    while (this.#queue.length > 0) {
      if (!this.#isTrusted || this.#hasRepeats) {
        this.#supervise(this.#load());
        return;
      }
      const step = this.#nextStep();
      if (step?.kind === 'append') {
        const flight = { step, message: undefined, isInDoubt: false, begunAt: this.#shared.clock.now() };
        this.#inFlight = flight;
        this.#isBusy = true;
        this.#send(flight);
        return;
      }
      if (step?.kind === 'answer') step.entry.resolve({ position: step.position, suppressed: step.suppressed });
      if (step?.kind === 'answer_mark') step.entry.resolve(step.state);
    }
  }

  get #isTrusted(): boolean {
    return this.#isLoaded && this.#shared.clock.monotonic() - this.#confirmedAt < MAX_TRUST_MS;
  }

  #nextStep(): AppendStep | undefined {
    const { clock, idempotency, createEpoch } = this.#shared;
    return nextStep(this.#queue, {
      state: this.#state,
      isMarked: this.#isMarked,
      nowMs: clock.now(),
      createEpoch,
      findKey: (key) => idempotency.find(this.channel, key, clock.monotonic()),
    });
  }

  #messageOf({ record, slot, entries }: AppendStep & { kind: 'append' }, expected: Expectation): AppendMessage {
    const [entry] = entries;
    const key = entry !== undefined && isKeyed(entry) ? entry.idempotencyKey : '';
    return {
      subject: this.#subjects.slot(slot),
      content: record,
      expectedSequence: expected.sequence,
      filter: expected.filter,
      ttlSeconds: Math.max(1, Math.ceil((recordEnd(record) - this.#shared.clock.now()) / 1_000)),
      messageId: key === '' ? undefined : messageIdOf(this.channel, key),
    };
  }

  #send(flight: InFlight): void {
    if (flight.message === undefined) {
      const expected = this.#expectation(flight.step.slot);
      if (expected === undefined) {
        this.#supervise(this.#readSlots(flight));
        return;
      }
      flight.message = this.#messageOf(flight.step, expected);
    }
    const now = this.#shared.clock.monotonic();
    let lastDeadlineAt = now;
    for (const { deadlineAt } of flight.step.entries) lastDeadlineAt = Math.max(lastDeadlineAt, deadlineAt);
    const timeoutMs = Math.max(1, Math.min(ATTEMPT_TIMEOUT_MS, lastDeadlineAt - now));
    this.#shared.publisher.append(flight.message, timeoutMs, this);
  }

  /** `newest` differs from the record's state when others have appended after it. */
  #onStored({ record, slot, entries }: AppendStep & { kind: 'append' }, sequence: number, newest = record): void {
    this.#shared.metrics.recordsStored.inc();
    this.#inFlight = undefined;
    this.#adopt(newest);
    if (newest === record) this.#sequences.note(slot, sequence);
    else this.#sequences.clear();
    if (record.bodies.length > 0 && needsRest(record.state)) this.#shared.onUnmarked(this.channel);
    this.#conflicts = 0;
    this.#backoffMs = FIRST_BACKOFF_MS;
    this.#confirmedAt = this.#shared.clock.monotonic();
    const { epoch } = record.state;
    let offset = record.state.offset - entries.length;
    for (const entry of entries) {
      offset += 1;
      if (entry.kind === 'claim') this.#onPublished(entry, OUTSIDE);
      else if (entry.kind !== 'publication') entry.resolve(record.state);
      else this.#onPublished(entry, { offset, epoch });
    }
    this.#advance();
  }

  #onPublished(entry: KeyedEntry, position: { offset: number; epoch: string }): void {
    const { idempotency, clock } = this.#shared;
    if (entry.idempotencyKey !== '') {
      idempotency.remember(this.channel, entry.idempotencyKey, position, clock.monotonic());
    }
    entry.resolve({ position });
  }

  /** `mayCome`: the log may store yet what it has refused. */
  #onConflict(flight: InFlight, mayCome = false): void {
    this.#inFlight = undefined;
    this.#isLoaded = false;
    this.#conflicts += 1;
    this.#shared.metrics.appendConflicts.inc();
    const { step, begunAt } = flight;
    this.#queue.unshift(...(mayCome ? step.entries.map((entry) => asRepeat(entry, begunAt)) : step.entries));
    // Who was faster may have been the node that we asked before.
    this.#noteRepeats();
    // Writers that met once would meet again and again in step.
    if (this.#conflicts > 2) this.#afterPause(() => this.#advance());
    else this.#advance();
  }

  /** The log has a record with this idempotency key: ours, from an attempt whose answer was lost, or an earlier one. */
  async #answerDuplicate({ step, isInDoubt }: InFlight, sequence: number): Promise<void> {
    const [entry] = step.entries;
    const { reader, clock, idempotency } = this.#shared;
    let record: LogRecord | undefined;
    let top: LogRecord | undefined;
    try {
      record = await reader.recordAt(this.channel, sequence);
      // A ring that has come round since has lost the first record, and with it the position: the top is the best answer left.
      top = record ?? (await reader.topForAppend(this.channel, true)).record;
    } catch (error) {
      this.onFailure(asReadError(error), true);
      return;
    }
    const isOutside = record?.bodies.length === 0;
    const position = isOutside ? OUTSIDE : { offset: top?.state.offset ?? 0, epoch: top?.state.epoch ?? '' };
    this.#inFlight = undefined;
    this.#isLoaded = false;
    if (entry !== undefined && isKeyed(entry)) {
      idempotency.remember(this.channel, entry.idempotencyKey, position, clock.monotonic());
      const isOurs = record !== undefined && isOfAttempt(record, entry, isInDoubt);
      entry.resolve(isOurs ? { position } : { position, suppressed: 'idempotency' });
    }
    this.#advance();
  }

  /** An attempt met another record: that of an earlier attempt, its own, or a stranger's. */
  async #settleDoubt(flight: InFlight): Promise<void> {
    const { reader } = this.#shared;
    const { record } = flight.step;
    try {
      const top = await reader.topForAppend(this.channel, true);
      const isMoved = top.record?.bodies.length === 0 && top.sequence !== flight.message?.expectedSequence;
      const found =
        isMoved && top.record.state.index < record.state.index
          ? 'absent'
          : await findRecord(reader, this.channel, { top: top.record, ours: record });
      // All that was asked once and refused can be asked again, however small the ring.
      if (found === 'unsure' && flight.isInDoubt) this.#giveUp(flight);
      else if (found !== 'stored' || top.record === undefined) this.#onConflict(flight, found === 'later');
      else this.#onStored(flight.step, top.sequence, top.record);
    } catch (error) {
      this.onFailure(asReadError(error), true);
    }
  }

  /** To store it again might double it; nobody knows. */
  #giveUp({ step }: InFlight): void {
    this.#inFlight = undefined;
    this.#isLoaded = false;
    for (const entry of step.entries) entry.reject(inDoubtError());
    this.#advance();
  }

  async #load(): Promise<void> {
    this.#isBusy = true;
    const askedAt = this.#shared.clock.monotonic();
    try {
      const top = await this.#readTop();
      if (this.#hasRepeats) await this.#answerRepeats(top.record);
      this.#adopt(top.record);
      this.#noteTop(top);
      this.#isLoaded = true;
      this.#confirmedAt = askedAt;
      this.#advance();
    } catch (error) {
      const failure = asReadError(error);
      this.#noteRepeats();
      this.#rejectExpired();
      // Nobody to write for: no need to know.
      if (this.#queue.length === 0) this.#advance();
      else if (failure.retriable) this.#afterPause(() => this.#advance());
      else {
        for (const entry of this.#queue.splice(0)) entry.reject(failure);
        this.#advance();
      }
    }
  }

  /** The log may have lost what it acknowledged (a server without `sync_interval: always`, or without its disk). */
  async #readTop(): Promise<LogTop> {
    const { reader, log } = this.#shared;
    const fromLeader = this.#conflicts > 0;
    let top = await reader.topForAppend(this.channel, fromLeader);
    if (!isBehind(top.record?.state, this.#state)) return top;
    if (!fromLeader) top = await reader.topForAppend(this.channel, true);
    const { record } = top;
    if (record === undefined || !isBehind(record.state, this.#state)) return top;
    log.warn('the log of a channel has lost records, a new epoch begins', { channel: this.channel });
    return { ...top, record: { ...record, state: forgotten(record.state) } };
  }

  #adopt(newest: LogRecord | undefined): void {
    this.#state = newest?.state;
    this.#isMarked = newest?.bodies.length === 0;
  }

  #noteTop({ record, sequence }: LogTop): void {
    this.#sequences.clear();
    this.#slotsToRead = 1;
    this.#topSequence = sequence;
    if (record === undefined) return;
    const { state } = record;
    // A mark lies where the next record goes.
    if (this.#isMarked) this.#sequences.note(nextSlot(state), sequence);
    else if (state.index >= state.ringIndex) this.#sequences.note(state, sequence);
  }

  /** What an append compares; undefined: what lies at its slot must be looked up. */
  #expectation(slot: RingSlot): Expectation | undefined {
    // Where nothing is known others may begin too, with a ring of another size.
    if (this.#state === undefined) return { sequence: this.#topSequence, filter: this.#subjects.all };
    const known = this.#sequences.at(slot);
    if (known !== undefined) return { sequence: known, filter: undefined };
    // A slot that was never written to holds nothing, unless we have just been wrong about something.
    return this.#conflicts === 0 && isNewSlot(this.#state) ? { sequence: 0, filter: undefined } : undefined;
  }

  async #readSlots(flight: InFlight): Promise<void> {
    const { slots, index } = flight.step.slot;
    const isDoubtful = this.#conflicts > 0;
    const count = isDoubtful ? 1 : Math.min(this.#slotsToRead, slots);
    this.#slotsToRead = Math.min(MAX_SLOTS_READ, 2 * this.#slotsToRead);
    const wanted = Array.from({ length: count }, (_, ahead) => ({ slots, index: index + ahead }));
    try {
      const found = await this.#shared.reader.atSlots(this.channel, wanted, isDoubtful);
      if (this.#inFlight !== flight) return;
      // To compare what came after the newest record that we know would be to write over it.
      if (wanted.some((slot, at) => isLater(found[at]?.record, slot))) {
        this.#onConflict(flight);
        return;
      }
      for (const [at, slot] of wanted.entries()) this.#sequences.note(slot, found[at]?.sequence ?? 0);
    } catch (error) {
      this.onFailure(asReadError(error), false);
      return;
    }
    this.#send(flight);
  }

  #noteRepeats(): void {
    this.#hasRepeats = this.#queue.some((entry) => entry.kind === 'publication' && entry.isRepeat);
  }

  async #answerRepeats(top: LogRecord | undefined): Promise<void> {
    this.#hasRepeats = false;
    if (top === undefined) return;
    const search = await RepeatSearch.load(this.#shared.reader, this.channel, top);
    for (const entry of this.#queue.filter((entry) => entry.kind === 'publication')) {
      // The id of a record with a key keeps it from being stored twice.
      if (!entry.isRepeat || entry.idempotencyKey !== '') continue;
      const found = search.find(entry.body.nonce, entry.askedAt ?? this.#shared.clock.now());
      if (found.kind === 'absent') continue;
      this.#queue.splice(this.#queue.indexOf(entry), 1);
      if (found.kind === 'unsure') entry.reject(inDoubtError());
      else this.#onPublished(entry, { offset: found.offset, epoch: top.state.epoch });
    }
  }

  /** Anywhere in the queue: those that others sent here have less time than our own, and are stored by their senders then. */
  #rejectExpired(): void {
    if (this.#queue.length === 0) return;
    const now = this.#shared.clock.monotonic();
    if (!this.#queue.some(({ deadlineAt }) => deadlineAt <= now)) return;
    for (const entry of this.#queue.splice(0)) {
      if (entry.deadlineAt > now) this.#queue.push(entry);
      else entry.reject(new OperationalError('publish_deadline', 'the publication was not stored in time'));
    }
  }

  /** Waits longer each time, and at least until NATS is back; never beyond the deadlines of who waits. */
  #afterPause(then: () => void): void {
    this.#isBusy = true;
    const pauseMs = this.#backoffMs * (0.5 + Math.random() / 2);
    this.#backoffMs = Math.min(MAX_BACKOFF_MS, this.#backoffMs * 2);
    this.#timer = this.#shared.clock.setTimer(pauseMs, () => {
      this.#timer = undefined;
      then();
    });
  }

  /** The work settles its own failures; anything else is a bug that must not go unheard. */
  #supervise(work: Promise<void>): void {
    work.catch((error: unknown) => {
      this.#shared.log.error('writing to a channel failed', { channel: this.channel, error });
      this.close(new OperationalError('log_writer', 'writing to the channel failed', { cause: error }));
      this.#isBusy = false;
      this.#isLoaded = false;
    });
  }
}

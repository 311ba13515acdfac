// One joined channel: turns live copies, which may come twice, late or never, into contiguous publications (architecture
// §2.2). Live copies are hints, the log is the truth: a gap is read from it, and only what it lost is reported as lost.
import type { Publication } from '@carillon/protocol/client';
import { OperationalError, type Clock, type Log, type TimerHandle } from '@carillon/service-kit';
import type { LiveReceiver, Retention } from '../../broker.ts';
import type { BrokerMetrics } from '../broker-metrics.ts';
import type { OffsetRange } from '../log/history-range.ts';
import type { LogReader } from '../log/log-reader.ts';
import { readLiveMessage } from '../record/live-message.ts';
import { firstOffset, type LogRecord, type LogState } from '../record/log-record.ts';
import { toPublication } from '../record/publication-body.ts';
import { copyOf } from '../request/direct-get.ts';
import { RecentRing, type RingBudget } from './recent-ring.ts';

export interface LiveChannelDependencies {
  readonly receiver: LiveReceiver;
  readonly reader: LogReader;
  readonly clock: Clock;
  readonly log: Log;
  readonly budget: RingBudget;
  readonly metrics: BrokerMetrics;
}

/** Records that wait for older ones. Of more, only the newest is kept: the log has the others. */
const MAX_HELD = 256;
const FIRST_RETRY_MS = 50;
const MAX_RETRY_MS = 5_000;
/** Slots that a replica did not have are asked of the leader one by one; of more, only the newest. */
const MAX_LEADER_READS = 256;

export class LiveChannel {
  readonly channel: string;
  readonly #shared: LiveChannelDependencies;
  /** Undefined: only live copies matter. */
  retention: Retention | undefined;
  /** Parted, in grace: keeps up without handing anything over. */
  isSilent = false;
  #isBased = false;
  #isClosed = false;
  #hasWarned = false;
  /** Newest state that is accounted for; undefined: the channel has no stream. */
  #state: LogState | undefined;
  /** Everything up to it has been handed over. */
  #known = 0;
  /** When it was last known to be where the log is, monotonic. */
  #checkedAt = Number.NEGATIVE_INFINITY;
  #held: LogRecord[] = [];
  #healing: Promise<void> | undefined;
  #pause: { timer: TimerHandle; wake: () => void } | undefined;
  readonly #ring: RecentRing;

  constructor(channel: string, retention: Retention | undefined, shared: LiveChannelDependencies) {
    this.channel = channel;
    this.retention = retention;
    this.#shared = shared;
    this.#ring = new RecentRing(shared.budget);
  }

  get isBased(): boolean {
    return this.#isBased;
  }

  get state(): LogState | undefined {
    return this.#state;
  }

  get known(): number {
    return this.#known;
  }

  get isHealing(): boolean {
    return this.#healing !== undefined;
  }

  /** Its state, if that was compared with the log within the time given and nothing is missing as far as we know. */
  stateWithin(ms: number): LogState | undefined {
    if (!this.#isBased || this.#isClosed || this.#healing !== undefined) return undefined;
    return this.#shared.clock.monotonic() - this.#checkedAt <= ms ? this.#state : undefined;
  }

  /** It has just been compared with the newest record of the log, and has caught up. */
  confirm(): void {
    this.#checkedAt = this.#shared.clock.monotonic();
  }

  /** What was known before counts no more: live copies may have been missed. */
  distrust(): void {
    this.#checkedAt = Number.NEGATIVE_INFINITY;
  }

  /** A message of the live subject. Never throws. */
  onMessage(bytes: Uint8Array): void {
    try {
      // A copy of its own: the receiver may keep it, the original is part of a large chunk.
      const message = readLiveMessage(copyOf(bytes));
      if (message.kind === 'log') this.#onRecord(message.record);
      else if (this.isSilent) return;
      else if (message.kind === 'publication') {
        const publication = toPublication(message.body, 0);
        const { publishedAt } = message;
        const { isDelta: delta, trace } = message.body;
        const live = { publication, epoch: '', delta, publishedAt, trace };
        this.#shared.receiver.onPublication(this.channel, live);
      } else if (message.kind === 'join') this.#shared.receiver.onJoin(this.channel, message.info);
      else this.#shared.receiver.onLeave(this.channel, message.info);
    } catch (error) {
      // Once a channel: a newer version among the nodes would write a line for every message.
      if (!this.#hasWarned)
        this.#shared.log.error('a live message was not understood', { channel: this.channel, error });
      this.#hasWarned = true;
    }
  }

  /** Where the channel stood when it was joined: later publications are handed over, up to here none. */
  base(top: LogRecord | undefined): void {
    if (this.#isBased) return;
    this.#isBased = true;
    this.confirm();
    this.#begin(top);
    const held = this.#held;
    this.#held = [];
    for (const record of held) this.#onRecord(record);
  }

  /** Forgets where it stood, for a channel that gets a log after it was joined without. */
  rebase(retention: Retention): void {
    this.retention = retention;
    this.#isBased = false;
  }

  /**
   * Catches up with the newest record of the log; resolves when all up to it is handed over or reported lost. Undefined
   * when that is so already, as it mostly is.
   */
  catchUp(top: LogRecord): Promise<void> | undefined {
    this.#onRecord(top);
    return this.#healing === undefined ? undefined : this.settled();
  }

  /** Resolves when no gap is being filled. */
  async settled(): Promise<void> {
    while (this.#healing !== undefined) await this.#healing;
  }

  /** The log has forgotten the channel. */
  onStreamGone(): void {
    if (this.#state === undefined) return;
    this.#lose();
    this.#begin(undefined);
  }

  recent(range: OffsetRange, isReversed: boolean): readonly Publication[] | undefined {
    return this.#ring.slice(range, isReversed);
  }

  get ringFirst(): number {
    return this.#ring.first;
  }

  /** Keeps what was read of the time before the ring. */
  keepOlder(from: number, publications: readonly Publication[], epoch: string): void {
    if (this.#state?.epoch === epoch) this.#ring.prepend(from, publications, this.retention?.historySize ?? 0);
  }

  close(): void {
    this.#isClosed = true;
    this.#held = [];
    this.#ring.clear(1);
    this.#pause?.timer.cancel();
    this.#pause?.wake();
  }

  #begin(top: LogRecord | undefined): void {
    this.#state = top?.state;
    this.#known = top?.state.offset ?? 0;
    this.#ring.clear(this.#known + 1);
    if (top === undefined || top.bodies.length === 0) return;
    const first = firstOffset(top);
    for (const [index, body] of top.bodies.entries()) {
      this.#ring.append(first + index, toPublication(body, first + index), this.retention?.historySize ?? 0);
    }
  }

  #onRecord(record: LogRecord): void {
    if (this.retention === undefined) this.#onUntracked(record);
    else if (!this.#isBased || this.#healing !== undefined) this.#hold(record);
    else if (!this.#tryAccept(record)) {
      this.#hold(record);
      this.#startHealing();
    }
  }

  /** A channel joined as one without history, by a node whose configuration is behind: copies as they come. */
  #onUntracked(record: LogRecord): void {
    if (record.state.epoch === this.#state?.epoch && record.state.offset <= this.#known) return;
    this.#known = firstOffset(record) - 1;
    this.#deliver(record);
  }

  /** False: something before it is missing, or it is of another life of the stream. */
  #tryAccept(record: LogRecord): boolean {
    const { state } = record;
    // compat: who knows no stream adopts the first epoch that comes (channels-and-config §2.4).
    if (this.#state !== undefined && state.epoch !== this.#state.epoch) return false;
    if (firstOffset(record) > this.#known + 1) return false;
    if (state.offset > this.#known) this.#deliver(record);
    else if (state.offset === this.#known) this.#adopt(state);
    return true;
  }

  #deliver(record: LogRecord): void {
    const first = firstOffset(record);
    const { epoch, publishedAt } = record.state;
    for (const [index, body] of record.bodies.entries()) {
      const offset = first + index;
      if (offset <= this.#known) continue;
      this.#known = offset;
      const publication = toPublication(body, offset);
      this.#ring.append(offset, publication, this.retention?.historySize ?? 0);
      if (this.isSilent) continue;
      const { isDelta: delta, trace } = body;
      this.#shared.receiver.onPublication(this.channel, { publication, epoch, delta, publishedAt, trace });
    }
    this.#adopt(record.state);
    // It follows on all that is known, so nothing was missing when it was written.
    this.confirm();
  }

  #adopt(state: LogState): void {
    const current = this.#state;
    // A late copy of an older record of the same offset: marks change the state without moving it.
    if (current?.epoch === state.epoch && current.offset === state.offset && current.writtenAt > state.writtenAt)
      return;
    this.#state = state;
    this.#ring.raiseFloor(state.floor);
  }

  #hold(record: LogRecord): void {
    if (this.#held.length < MAX_HELD) this.#held.push(record);
    else this.#held[MAX_HELD - 1] = record;
  }

  #startHealing(): void {
    this.#healing ??= this.#heal().then(
      () => {
        this.#healing = undefined;
      },
      (error: unknown) => {
        this.#healing = undefined;
        this.#shared.log.error('filling a gap failed', { channel: this.channel, error });
      },
    );
  }

  async #heal(): Promise<void> {
    let retryMs = FIRST_RETRY_MS;
    while (!this.#isClosed && this.#held.length > 0) {
      this.#held.sort((a, b) => a.state.offset - b.state.offset);
      const [oldest] = this.#held;
      if (oldest === undefined) return;
      if (this.#tryAccept(oldest)) {
        this.#held.shift();
        continue;
      }
      try {
        if (oldest.state.epoch !== this.#state?.epoch) await this.#settleEpoch(oldest);
        else await this.#fill(oldest.state, { from: this.#known + 1, to: firstOffset(oldest) - 1 });
        retryMs = FIRST_RETRY_MS;
      } catch (error) {
        if (!(error instanceof OperationalError)) throw error;
        this.#shared.log.debug('a gap can not be read yet', { channel: this.channel, error });
        await this.#wait(retryMs);
        retryMs = Math.min(MAX_RETRY_MS, retryMs * 2);
      }
    }
  }

  /** A record of another epoch: a late copy of an old life of the stream, or the first news of a new one. */
  async #settleEpoch(record: LogRecord): Promise<void> {
    const { reader } = this.#shared;
    const top = (await reader.topForAppend(this.channel, true)).record ?? record;
    if (this.#isClosed) return;
    const { epoch } = top.state;
    this.#held = this.#held.filter((held) => held.state.epoch === epoch);
    if (epoch === this.#state?.epoch) return;
    // compat: subscribers learn it from the first publication of the new epoch, or from the check of their position.
    if (this.#state !== undefined) this.#countLoss();
    this.#begin(undefined);
    this.#hold(top);
    // From here on the gap from offset 1 is one of this epoch.
    this.#state = { ...top.state, offset: 0, floor: 1, writtenAt: 0 };
  }

  async #fill(state: LogState, range: OffsetRange): Promise<void> {
    const { reader } = this.#shared;
    this.#acceptAll(await reader.records(this.channel, state, range), range.to);
    if (this.#isClosed || this.#isFilled(range)) return;
    // A replica may be behind. What the leader does not have either is lost.
    const left = { from: Math.max(this.#known + 1, range.to - MAX_LEADER_READS + 1), to: range.to };
    const records = await reader.records(this.channel, state, left, true);
    this.#acceptAll(records, range.to);
    if (this.#isClosed || this.#isFilled(range)) return;
    this.#lose();
    for (const record of records) {
      if (record.state.offset <= this.#known) continue;
      this.#known = Math.max(this.#known, firstOffset(record) - 1);
      this.#deliver(record);
    }
    this.#known = Math.max(this.#known, range.to);
  }

  #isFilled({ to }: OffsetRange): boolean {
    if (this.#known < to) return false;
    this.#shared.metrics.gapsFilled.inc();
    return true;
  }

  /** As far as they follow on each other. */
  #acceptAll(records: readonly LogRecord[], to: number): void {
    if (this.#isClosed) return;
    for (const record of records) {
      if (this.#known >= to || !this.#tryAccept(record)) return;
    }
  }

  #lose(): void {
    this.#countLoss();
    if (!this.isSilent) this.#shared.receiver.onPositionLost(this.channel);
  }

  #countLoss(): void {
    this.#shared.metrics.positionsLost.inc();
    this.#shared.log.info('publications of a channel are lost', { channel: this.channel, known: this.#known });
  }

  #wait(ms: number): Promise<void> {
    return new Promise((wake) => {
      const timer = this.#shared.clock.setTimer(ms, wake);
      this.#pause = { timer, wake };
    });
  }
}

import { isWhole, serialOf, tagOf } from './payload.ts';
import type { Verdict } from './verdict.ts';
import type { Position, Publication } from '../client/wire.ts';

export interface ChannelRules {
  readonly channel: string;
  readonly historySize: number;
  /** Of an instance whose configuration is another one. Default: the same. */
  readonly largestHistorySize?: number | undefined;
  readonly historyTtlMs: number;
  /** Most publications that a recovery gives back. */
  readonly recoveryLimit: number;
  /** Only for what is made for it: no operation picks it by chance. */
  readonly isReserved?: boolean | undefined;
}

export interface HistoryAnswer {
  readonly publications: readonly Publication[];
  readonly top: Position;
}

interface Record {
  readonly serial: string;
  readonly tag: string;
  /** It was not published before, in ms of `performance.now()`. */
  readonly issuedAt: number;
}

interface Removal {
  readonly startedAt: number;
  /** Highest offset that was acknowledged when it began: nothing up to here comes back. */
  readonly bound: number;
  endedAt: number;
}

interface Issued {
  readonly at: number;
  readonly chars: number;
  /** Highest offset that was acknowledged when it was issued: it comes after that. */
  readonly floor: number;
  offset: number | undefined;
  /** What was tried to publish it, for who looks into a violation. */
  readonly events: string[];
}

// Longer than any publish may take.
const PENDING_MS = 20_000;
// A reader's clock and the server's disagree about when a record expired, more so on a busy machine.
const EXPIRY_SLACK_MS = 1_500;

/** The plain model of one channel: what is known to be at each offset, and what may be said about it. */
export class ReferenceLog {
  readonly rules: ChannelRules;
  readonly #verdict: Verdict;
  readonly #records: Map<number, Record> = new Map();
  readonly #issued: Map<string, Issued> = new Map();
  readonly #removals: Removal[] = [];
  /** Serials that may be stored any moment, by when they were issued. */
  readonly #pending: Map<string, number> = new Map();
  #epoch = '';
  #newest = 0;
  #topAcknowledged = 0;

  constructor(rules: ChannelRules, verdict: Verdict) {
    this.rules = rules;
    this.#verdict = verdict;
  }

  get topAcknowledged(): number {
    return this.#topAcknowledged;
  }

  get epoch(): string {
    return this.#epoch;
  }

  issue(text: string): void {
    this.#pending.set(serialOf(text), performance.now());
    this.#issued.set(serialOf(text), {
      at: performance.now(),
      chars: text.length,
      floor: this.#topAcknowledged,
      offset: undefined,
      events: [],
    });
  }

  note(text: string, event: string): void {
    this.#issued.get(serialOf(text))?.events.push(`${performance.now().toFixed(0)} ${event}`);
  }

  acknowledge(text: string, { epoch, offset }: Position): void {
    this.observe({ epoch, offset, text });
    if (offset > this.#topAcknowledged) this.#topAcknowledged = offset;
  }

  /** Somebody was told that this is at this offset: everybody must be told the same, and once. */
  observe({ epoch, offset, text }: Publication): void {
    this.#sameEpoch(epoch, `publication ${offset}`);
    const serial = serialOf(text);
    const known = this.#records.get(offset);
    if (known !== undefined) {
      if (known.serial !== serial || !isWhole(text))
        this.#broken(`offset ${offset} is ${known.serial} for one and ${serial} for another`);
      return;
    }
    const issued = this.#issued.get(serial);
    if (issued === undefined)
      return this.#broken(`offset ${offset} holds ${text.slice(0, 80)}, which nobody published`);
    if (issued.offset !== undefined)
      this.#broken(`${serial} is doubled: at ${issued.offset} and at ${offset}\n    ${issued.events.join('\n    ')}`);
    if (!isWhole(text)) this.#broken(`${serial} is not what was published: ${text.slice(0, 80)}`);
    if (issued.chars !== text.length) this.#broken(`${serial} has ${text.length} characters, not ${issued.chars}`);
    if (offset <= issued.floor) {
      this.#broken(`${serial} is at ${offset}, but ${issued.floor} was acknowledged before it was published`);
    }
    issued.offset = offset;
    this.#pending.delete(serial);
    if (offset > this.#newest) this.#newest = offset;
    this.#records.set(offset, { serial, tag: tagOf(text), issuedAt: issued.at });
  }

  /** Call it before the request goes out; give the result to `endRemoval` when the request is known to be over. */
  startRemoval(): object {
    const removal = { startedAt: performance.now(), bound: this.#topAcknowledged, endedAt: Number.POSITIVE_INFINITY };
    this.#removals.push(removal);
    return removal;
  }

  /** The server said that it is done. A removal that failed may still happen: it stays open. */
  endRemoval(removal: object): void {
    const found = this.#removals.find((each) => each === removal);
    if (found !== undefined) found.endedAt = performance.now();
  }

  /** A subscriber at `from` was told that it has missed something: there must be a reason. */
  notRecovered(from: Position, to: Position, who: string): void {
    if (from.epoch !== to.epoch)
      return this.#sameEpoch(to.epoch, `${who} at ${from.epoch}/${from.offset}, not recovered,`);
    const missed = this.#newestPossible(to.offset) - from.offset;
    if (missed > Math.min(this.rules.historySize, this.rules.recoveryLimit)) return;
    if (this.#mayBeRemoved(from.offset + 1) || this.#mayBeExpired(from.offset + 1)) return;
    this.#broken(`${who} was at ${from.offset}, top ${to.offset}, and was not recovered without a reason`);
  }

  /** `acknowledged` and `askedAt` are of the moment when the history was asked for. */
  checkHistory(
    { publications, top }: HistoryAnswer,
    { acknowledged, askedAt }: { acknowledged: number; askedAt: number },
  ): void {
    this.#sameEpoch(top.epoch, 'history');
    if (top.offset < acknowledged) this.#broken(`history has top ${top.offset}, but ${acknowledged} was acknowledged`);
    for (const publication of publications) this.observe({ ...publication, epoch: top.epoch });
    const offsets = publications.map(({ offset }) => offset);
    const [first] = offsets;
    const { historySize, largestHistorySize = historySize } = this.rules;
    if (offsets.length > largestHistorySize) this.#broken(`history holds ${offsets.length} publications`);
    if (first !== undefined && offsets.some((offset, index) => offset !== first + index)) {
      this.#broken(`history has a hole: ${offsets.join(' ')}`);
    }
    if (first !== undefined && offsets.at(-1) !== top.offset) {
      this.#broken(`history ends at ${offsets.at(-1)}, its top is ${top.offset}`);
    }
    this.#checkReach(first ?? top.offset + 1, top.offset, askedAt);
  }

  /** The top while nobody publishes: nothing is above it. */
  checkTop(top: Position): void {
    this.#sameEpoch(top.epoch, 'the top');
    if (top.offset < this.#topAcknowledged) {
      this.#broken(`${this.#topAcknowledged} was acknowledged, but the top is ${top.offset}`);
    }
    const beyond = [...this.#records.keys()].find((offset) => offset > top.offset);
    if (beyond !== undefined) this.#broken(`${beyond} was delivered, but the top is ${top.offset}`);
  }

  /** Offsets between two, both left out, of publications with a tag. Complete as far as anybody has told of them. */
  taggedBetween(from: number, to: number, tag: string): number[] {
    const found: number[] = [];
    for (let offset = from + 1; offset < to; offset += 1)
      if (this.#records.get(offset)?.tag === tag) found.push(offset);
    return found;
  }

  /** History reaches from `first` to `top`: not further back than a removal, not less far than it must. */
  #checkReach(first: number, top: number, askedAt: number): void {
    const removed = Math.max(0, ...this.#removals.filter(({ endedAt }) => endedAt < askedAt).map(({ bound }) => bound));
    if (first <= removed) this.#broken(`history begins at ${first}, but all up to ${removed} was removed`);
    // The ring may have moved on while it was read.
    const oldest = Math.max(1, this.#newestPossible(top) - this.rules.historySize + 1);
    if (first > oldest && !this.#mayBeRemoved(first - 1) && !this.#mayBeExpired(first - 1)) {
      this.#broken(`history begins at ${first}, but ${oldest} to ${top} were published and are kept`);
    }
  }

  /** Where the top may be by now, if all that is on its way has arrived. */
  #newestPossible(top: number): number {
    const abandonedAt = performance.now() - PENDING_MS;
    for (const [serial, issuedAt] of this.#pending) {
      if (issuedAt > abandonedAt) break;
      this.#pending.delete(serial);
    }
    return Math.max(top, this.#newest) + this.#pending.size;
  }

  #mayBeRemoved(offset: number): boolean {
    const issuedAt = this.#records.get(offset)?.issuedAt ?? 0;
    return this.#removals.some(({ endedAt }) => endedAt >= issuedAt);
  }

  #mayBeExpired(offset: number): boolean {
    const issuedAt = this.#records.get(offset)?.issuedAt ?? 0;
    return performance.now() - issuedAt > this.rules.historyTtlMs - EXPIRY_SLACK_MS;
  }

  #sameEpoch(epoch: string, what: string): void {
    if (this.#epoch === '') this.#epoch = epoch;
    if (epoch === '' || epoch !== this.#epoch)
      this.#broken(`${what} has epoch "${epoch}", the channel "${this.#epoch}"`);
  }

  #broken(message: string): void {
    this.#verdict.violate(`${this.rules.channel}: ${message}`);
  }
}

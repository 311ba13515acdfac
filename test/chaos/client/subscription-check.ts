import { applyDelta } from '../../harness/fossil-delta.ts';
import { tagOf } from '../model/payload.ts';
import type { Position, Publication, SubscribeResult, Wish } from './wire.ts';
import type { ReferenceLog } from '../model/reference-log.ts';
import type { Verdict } from '../model/verdict.ts';

const TRACE_LINES = 40;

export interface SubscriptionCheckOptions {
  readonly owner: string;
  readonly isServerSide: boolean;
  readonly log: ReferenceLog;
  readonly verdict: Verdict;
  /** What it asks for beside the publications. */
  readonly wants?: Wish | undefined;
}

/** Publications that a filtered subscriber was not given, if all is well because they do not match. Ends left out. */
interface Skipped {
  readonly from: number;
  readonly to: number;
}

/** What one subscriber knows of one channel: it may only be told the next publication, or that it has lost some. */
export class SubscriptionCheck {
  readonly channel: string;
  readonly isServerSide: boolean;
  isSubscribed = false;
  /** Told by the server that its position was lost (2500). */
  hasLostPosition = false;
  readonly wants: Wish | undefined;
  readonly #owner: string;
  readonly #log: ReferenceLog;
  readonly #verdict: Verdict;
  readonly #trace: string[] = [];
  readonly #skipped: Skipped[] = [];
  #position: Position | undefined = undefined;
  /** What the next patch is for. */
  #newest: Buffer | undefined = undefined;

  constructor(options: SubscriptionCheckOptions) {
    this.wants = options.wants;
    this.channel = options.log.rules.channel;
    this.isServerSide = options.isServerSide;
    this.#owner = options.owner;
    this.#log = options.log;
    this.#verdict = options.verdict;
  }

  /** Where to recover from; undefined before the first subscription. */
  get position(): Position | undefined {
    return this.#position;
  }

  /** The server confirmed the subscription. */
  subscribed(result: SubscribeResult): void {
    const { epoch, offset, wasRecovering, recovered, publications } = result;
    this.note(
      `subscribed ${epoch}/${offset} recovering=${wasRecovering} recovered=${recovered} pubs=${publications.length}`,
    );
    this.isSubscribed = true;
    const before = this.#position;
    this.#verdict.count('subscribed');
    if (this.hasLostPosition && recovered) this.#verdict.count('recovered after 2500');
    this.hasLostPosition = false;
    if (!result.recoverable) this.#broken('the subscription is not recoverable');
    if (result.hasDelta !== (this.wants?.kind === 'delta')) this.#broken(`delta: ${result.hasDelta}`);
    if (before === undefined) {
      if (publications.length > 0) this.#broken('publications for somebody who asked for none');
      this.#begin({ epoch, offset });
      return;
    }
    if (!wasRecovering) this.#broken('recovery was asked for and not tried');
    if (!recovered) {
      this.#verdict.count('told that publications are lost');
      if (publications.length > 0) this.#broken('publications though not recovered');
      this.#log.notRecovered(before, { epoch, offset }, this.#owner);
      this.#begin({ epoch, offset });
      return;
    }
    this.#verdict.count(this.wants === undefined ? 'recovered' : `recovered with ${this.wants.kind}`);
    if (epoch !== before.epoch) this.#broken(`recovered from epoch ${before.epoch} into ${epoch}`);
    for (const publication of publications) {
      this.#verdict.count('recovered publications');
      this.#next(publication);
    }
  }

  published(publication: Publication): void {
    if (!this.isSubscribed) this.#broken(`publication ${publication.offset} without a subscription`);
    this.#next(publication);
  }

  /** What it lacks of publications up to a top. */
  missing(top: number): readonly number[] {
    const at = this.#position?.offset ?? 0;
    const open = { from: at, to: top + 1 };
    if (this.wants?.kind !== 'tag') return at === top ? [] : [top];
    const { tag } = this.wants;
    return [...this.#skipped, open].flatMap(({ from, to }) => this.#log.taggedBetween(from, to, tag));
  }

  /** The connection or the subscription ended; the position stays. */
  ended(why: string): void {
    this.note(why);
    this.isSubscribed = false;
  }

  note(event: string): void {
    this.#trace.push(`${performance.now().toFixed(0)} ${event}`);
    if (this.#trace.length > TRACE_LINES) this.#trace.shift();
  }

  trace(): string {
    return this.#trace.join('\n    ');
  }

  #next(publication: Publication): void {
    this.note(`publication ${publication.offset}`);
    this.#verdict.count('deliveries');
    const position = this.#position ?? { epoch: '', offset: 0 };
    const { offset } = publication;
    const epoch = publication.epoch === '' ? position.epoch : publication.epoch;
    if (offset <= position.offset) this.#broken(`publication ${offset} again, after ${position.offset}`);
    if (offset > position.offset + 1) {
      if (this.wants?.kind === 'tag') this.#skipped.push({ from: position.offset, to: offset });
      else this.#broken(`a silent gap: ${offset} after ${position.offset}`);
    }
    this.#position = { epoch, offset };
    const text = this.wants?.kind === 'delta' ? this.#patched(publication) : publication.text;
    this.#checkForm(publication, text);
    this.#log.observe({ offset, epoch, text });
  }

  #checkForm({ offset, isPatch = false, isString }: Publication, text: string): void {
    const hasDelta = this.wants?.kind === 'delta';
    if (isString !== undefined && isString !== hasDelta)
      this.#broken(`publication ${offset} came as a string: ${isString}`);
    if (isPatch && !hasDelta) this.#broken(`publication ${offset} is a patch that nobody asked for`);
    if (this.wants?.kind !== 'tag') return;
    this.#verdict.count('filtered deliveries');
    if (tagOf(text) !== this.wants.tag)
      this.#broken(`publication ${offset} does not match the filter: ${text.slice(0, 60)}`);
  }

  /** The data itself, as an SDK makes it of what came. */
  #patched({ offset, text, isPatch = false }: Publication): string {
    const bytes = Buffer.from(text);
    if (!isPatch) this.#newest = bytes;
    else if (this.#newest === undefined) this.#broken(`publication ${offset} is a patch to nothing`);
    else {
      this.#verdict.count('patches');
      try {
        this.#newest = applyDelta(this.#newest, bytes);
      } catch (error) {
        this.#broken(`publication ${offset} is a patch that does not fit: ${String(error)}`);
        this.#newest = undefined;
      }
    }
    return this.#newest?.toString() ?? text;
  }

  #begin(position: Position): void {
    this.#position = position;
    this.#newest = undefined;
  }

  #broken(message: string): void {
    this.#verdict.violate(`${this.#owner} in ${this.channel}: ${message}\n    ${this.trace()}`);
  }
}

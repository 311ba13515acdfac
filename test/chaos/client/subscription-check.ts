import type { Position, Publication, SubscribeResult } from './wire.ts';
import type { ReferenceLog } from '../model/reference-log.ts';
import type { Verdict } from '../model/verdict.ts';

const TRACE_LINES = 40;

/** What one subscriber knows of one channel: it may only be told the next publication, or that it has lost some. */
export class SubscriptionCheck {
  readonly channel: string;
  readonly isServerSide: boolean;
  isSubscribed = false;
  /** Told by the server that its position was lost (2500). */
  hasLostPosition = false;
  readonly #owner: string;
  readonly #log: ReferenceLog;
  readonly #verdict: Verdict;
  readonly #trace: string[] = [];
  #position: Position | undefined = undefined;

  constructor(options: { owner: string; isServerSide: boolean; log: ReferenceLog; verdict: Verdict }) {
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
    if (before === undefined) {
      if (publications.length > 0) this.#broken('publications for somebody who asked for none');
      this.#position = { epoch, offset };
      return;
    }
    if (!wasRecovering) this.#broken('recovery was asked for and not tried');
    if (!recovered) {
      this.#verdict.count('told that publications are lost');
      if (publications.length > 0) this.#broken('publications though not recovered');
      this.#log.notRecovered(before, { epoch, offset }, this.#owner);
      this.#position = { epoch, offset };
      return;
    }
    this.#verdict.count('recovered');
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
    if (offset > position.offset + 1) this.#broken(`a silent gap: ${offset} after ${position.offset}`);
    this.#position = { epoch, offset };
    this.#log.observe({ ...publication, epoch });
  }

  #broken(message: string): void {
    this.#verdict.violate(`${this.#owner} in ${this.channel}: ${message}\n    ${this.trace()}`);
  }
}

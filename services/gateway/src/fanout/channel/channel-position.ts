import type { StreamPosition } from '@carillon/protocol/channel';

/**
 * `next`: deliver, the position moved on. `old`: positioned subscribers have it. `lost`: publications between are gone or
 * the stream began anew; the position is now where the publication or read says, but nobody's old place is valid.
 */
export type PositionStep = 'next' | 'old' | 'lost';

/**
 * Where the positioned subscribers of one channel are: all at the same place, since each goes live at it and every
 * publication is handed to all of them in one step. Known from delivered publications and from reads (§4.7).
 */
export class ChannelPosition {
  #isKnown = false;
  #offset = 0;
  #epoch = '';
  #generation = 0;

  get isKnown(): boolean {
    return this.#isKnown;
  }

  get offset(): number {
    return this.#offset;
  }

  get epoch(): string {
    return this.#epoch;
  }

  /** Goes up when places from before are void: a read that spans two generations says nothing. */
  get generation(): number {
    return this.#generation;
  }

  /** A publication of the stream arrived. */
  advance(offset: number, epoch: string): PositionStep {
    if (!this.#isKnown) return this.#adopt(offset, epoch, 'next');
    if (epoch !== this.#epoch) {
      // An epoch that was never learnt is learnt from the first publication that carries one.
      if (this.#epoch !== '') return this.#beginAnew(offset, epoch);
      this.#epoch = epoch;
    }
    if (offset <= this.#offset) return 'old';
    return this.#adopt(offset, epoch, offset === this.#offset + 1 ? 'next' : 'lost');
  }

  /**
   * A read that began in the present generation found the stream here. A top below the known place is an older answer
   * (`old`); one above it means live publications never came (`lost`).
   */
  observe(top: StreamPosition): PositionStep {
    if (!this.#isKnown) return this.#adopt(top.offset, top.epoch, 'next');
    if (top.epoch !== this.#epoch) {
      if (this.#epoch !== '') return this.#beginAnew(top.offset, top.epoch);
      this.#epoch = top.epoch;
    }
    if (top.offset <= this.#offset) return 'old';
    return this.#adopt(top.offset, top.epoch, 'lost');
  }

  /** The broker says that nobody's place is valid any more. */
  forget(): void {
    this.#isKnown = false;
    this.#offset = 0;
    this.#epoch = '';
    this.#generation += 1;
  }

  #beginAnew(offset: number, epoch: string): PositionStep {
    this.#generation += 1;
    return this.#adopt(offset, epoch, 'lost');
  }

  #adopt(offset: number, epoch: string, step: PositionStep): PositionStep {
    this.#isKnown = true;
    this.#offset = offset;
    this.#epoch = epoch;
    return step;
  }
}

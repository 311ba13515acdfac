// What a writer knows of the slots of its channel: the compare-and-set of an append is on the slot it writes to.
import type { RingSlot } from '../nats-subjects.ts';

/** Numbers that all channels of a writer may keep together. */
export class SequenceBudget {
  readonly max: number;
  used = 0;

  constructor(max: number) {
    this.max = max;
  }
}

const UNKNOWN = -1;
const NONE = new Float64Array(0);

/** The sequence of the message at each slot of one ring, as far as it is known. */
export class SlotSequences {
  readonly #budget: SequenceBudget;
  #bySlot: Float64Array = NONE;
  /** Of a ring that the budget has no room for, the one that was noted last. */
  #last: { slots: number; place: number; sequence: number } | undefined;

  constructor(budget: SequenceBudget) {
    this.#budget = budget;
  }

  /** 0: there is no message; undefined: not known. */
  at({ slots, index }: RingSlot): number | undefined {
    const place = index % slots;
    const known = slots === this.#bySlot.length ? this.#bySlot[place] : undefined;
    if (known !== undefined && known !== UNKNOWN) return known;
    return this.#last?.slots === slots && this.#last.place === place ? this.#last.sequence : undefined;
  }

  note({ slots, index }: RingSlot, sequence: number): void {
    const place = index % slots;
    if (slots !== this.#bySlot.length) this.#begin(slots);
    if (this.#bySlot.length === 0) this.#last = { slots, place, sequence };
    else this.#bySlot[place] = sequence;
  }

  /** Somebody else has written, or may have. */
  clear(): void {
    this.#budget.used -= this.#bySlot.length;
    this.#bySlot = NONE;
    this.#last = undefined;
  }

  #begin(slots: number): void {
    this.clear();
    if (this.#budget.used + slots > this.#budget.max) return;
    this.#bySlot = new Float64Array(slots).fill(UNKNOWN);
    this.#budget.used += slots;
  }
}

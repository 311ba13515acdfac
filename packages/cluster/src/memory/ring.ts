const FIRST_SLOTS = 4;

/**
 * A queue in an array that wraps round: add at the end, drop at the front, look anywhere, each in constant time.
 * Slots are a power of two and grow with what is held; they go when the ring is cleared.
 */
export class Ring<T> {
  #slots: (T | undefined)[] = [];
  #first = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The item at `index`, 0 being the oldest; undefined outside. */
  at(index: number): T | undefined {
    if (index < 0 || index >= this.#size) return undefined;
    return this.#slots[(this.#first + index) & (this.#slots.length - 1)];
  }

  push(item: T): void {
    if (this.#size === this.#slots.length) this.#grow();
    this.#slots[(this.#first + this.#size) & (this.#slots.length - 1)] = item;
    this.#size += 1;
  }

  /** Drops the oldest item, if there is one. */
  dropFirst(): void {
    if (this.#size === 0) return;
    // Not only moved past: what is dropped must become garbage.
    this.#slots[this.#first] = undefined;
    this.#first = (this.#first + 1) & (this.#slots.length - 1);
    this.#size -= 1;
  }

  clear(): void {
    this.#slots = [];
    this.#first = 0;
    this.#size = 0;
  }

  #grow(): void {
    const count = this.#slots.length === 0 ? FIRST_SLOTS : this.#slots.length * 2;
    const slots: (T | undefined)[] = Array.from({ length: count }, () => undefined);
    for (let index = 0; index < this.#size; index += 1) slots[index] = this.at(index);
    this.#slots = slots;
    this.#first = 0;
  }
}

import type { GaugeCell } from '@carillon/service-kit';

/** Counts the requests that are under way, so that a drain can wait for them. */
export class InFlight {
  readonly #gauge: GaugeCell;
  #count = 0;
  #isDraining = false;
  #drained: (() => void) | undefined = undefined;

  constructor(gauge: GaugeCell) {
    this.#gauge = gauge;
  }

  /** From now on every answer ends its connection. */
  get isDraining(): boolean {
    return this.#isDraining;
  }

  begin(): void {
    this.#gauge.set((this.#count += 1));
  }

  end(): void {
    this.#gauge.set((this.#count -= 1));
    if (this.#count === 0) this.#drained?.();
  }

  /** Settles when nothing is under way, or the signal aborts. */
  async drain(signal: AbortSignal | undefined): Promise<void> {
    this.#isDraining = true;
    if (this.#count === 0 || signal?.aborted === true) return;
    await new Promise<void>((resolve) => {
      this.#drained = resolve;
      signal?.addEventListener('abort', () => resolve(), { once: true });
    });
  }
}

/** A connection that collects messages instead of sending them. */
export interface OpenBatch {
  flushBatch(): void;
}

/**
 * The batches that are open right now, nearly always none or one. Before a topic message goes out, what they hold must go:
 * it is older, and uWebSockets.js knows nothing of it.
 */
export class OpenBatches {
  readonly #open: OpenBatch[] = [];

  add(batch: OpenBatch): void {
    this.#open.push(batch);
  }

  /** Batches are nested function calls, so the one that ends is the last that began. */
  removeLast(): void {
    this.#open.pop();
  }

  flush(): void {
    for (const batch of this.#open) batch.flushBatch();
  }
}

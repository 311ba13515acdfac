/**
 * Flushes each stream once at the end of an event-loop turn, so that all messages of one turn (a burst of publications)
 * share chunks and system calls.
 */
export class TurnFlush {
  readonly #flushes = new Set<() => void>();
  #isScheduled = false;

  /** The same function counts once a turn. */
  schedule(flush: () => void): void {
    this.#flushes.add(flush);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.#run());
  }

  #run(): void {
    this.#isScheduled = false;
    const flushes = [...this.#flushes];
    this.#flushes.clear();
    for (const flush of flushes) flush();
  }
}

/**
 * Runs tasks in the order they come, a bounded number at a time, with a bounded queue behind. Tasks never reject.
 */
export class TaskLimit {
  readonly #maxRunning: number;
  readonly #maxQueued: number;
  readonly #queue: Set<() => Promise<void>> = new Set();
  #running = 0;

  constructor(maxRunning: number, maxQueued: number) {
    this.#maxRunning = maxRunning;
    this.#maxQueued = maxQueued;
  }

  /** False when there is no room: the task is not run. */
  run(task: () => Promise<void>): boolean {
    if (this.#running < this.#maxRunning) {
      this.#start(task);
      return true;
    }
    if (this.#queue.size >= this.#maxQueued) return false;
    this.#queue.add(task);
    return true;
  }

  #start(task: () => Promise<void>): void {
    this.#running += 1;
    void task().finally(() => {
      this.#running -= 1;
      const [next] = this.#queue;
      if (next === undefined) return;
      this.#queue.delete(next);
      this.#start(next);
    });
  }
}

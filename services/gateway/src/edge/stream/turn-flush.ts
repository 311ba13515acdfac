/** A stream that collects messages instead of sending them at once. */
export interface Flushable {
  /** Sends what has been collected. It asks again for the next time. */
  turnEnd(): void;
}

/**
 * Flushes streams once at the end of an event-loop turn, so that all messages of one turn (a burst of publications) share
 * chunks and system calls.
 */
export class TurnFlush {
  #turn: Flushable[] = [];

  /** Once a turn, by a stream that has not asked yet. */
  schedule(stream: Flushable): void {
    if (this.#turn.push(stream) === 1) setImmediate(() => this.#run());
  }

  #run(): void {
    const turn = this.#turn;
    this.#turn = [];
    for (const stream of turn) stream.turnEnd();
  }
}

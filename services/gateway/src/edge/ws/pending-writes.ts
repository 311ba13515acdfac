/** A connection that collects messages instead of sending them at once. */
export interface PendingWriter {
  /** Sends what has been collected. It asks again for the next time. */
  turnEnd(): void;
}

/**
 * The connections that hold messages back to the end of the event-loop turn, so that replies of one turn share a frame and a
 * system call. Before a topic message goes out, what they hold must go: it is older, and uWebSockets.js knows nothing of it.
 */
export class PendingWrites {
  #turn: PendingWriter[] = [];

  /** Calls `turnEnd` when the event-loop turn ends, or before. */
  atTurnEnd(writer: PendingWriter): void {
    if (this.#turn.push(writer) === 1) setImmediate(() => this.flush());
  }

  flush(): void {
    if (this.#turn.length === 0) return;
    const turn = this.#turn;
    this.#turn = [];
    for (const writer of turn) writer.turnEnd();
  }
}

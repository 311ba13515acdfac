/** A connection that collects messages instead of sending them at once. */
export interface PendingWriter {
  /** Sends what has been collected; nothing if there is nothing. */
  flush(): void;
  /** The same, and it has to ask again for the next time. */
  turnEnd(): void;
}

/**
 * The connections that hold messages back: to the end of a batch, or of the event-loop turn, so that replies of one turn share
 * a frame and a system call. Before a topic message goes out, what they hold must go: it is older, and uWebSockets.js
 * knows nothing of it.
 */
export class PendingWrites {
  readonly #batches: PendingWriter[] = [];
  #turn: PendingWriter[] = [];

  /** Calls `turnEnd` when the event-loop turn ends, or before. */
  atTurnEnd(writer: PendingWriter): void {
    if (this.#turn.push(writer) === 1) setImmediate(() => this.#endTurn());
  }

  /** The caller flushes. Batches are nested function calls, so the one that ends is the last that began. */
  beginBatch(writer: PendingWriter): void {
    this.#batches.push(writer);
  }

  endBatch(): void {
    this.#batches.pop();
  }

  flush(): void {
    for (const writer of this.#batches) writer.flush();
    if (this.#turn.length > 0) this.#endTurn();
  }

  #endTurn(): void {
    const turn = this.#turn;
    this.#turn = [];
    for (const writer of turn) writer.turnEnd();
  }
}

/** A connection whose queue was too long for a message. */
export interface Misser {
  /** No topic message reaches it any more. */
  leaveTopics(): void;
}

/**
 * The connections that a message was dropped for in this event-loop turn. They are ended in a turn of their own, and until
 * then their queue may get shorter: by what the kernel takes, or by a write of uWebSockets.js. The next topic message would
 * get through and hide the one that is missing, so they leave all topics before it.
 */
export class MissedMessages {
  #turn: Misser[] = [];

  /** May be called in the middle of a publish of uWebSockets.js, where no topic can be left. */
  add(misser: Misser): void {
    if (this.#turn.push(misser) === 1) setImmediate(() => this.leaveTopics());
  }

  /** Call before each topic message. */
  leaveTopics(): void {
    if (this.#turn.length === 0) return;
    const turn = this.#turn;
    this.#turn = [];
    for (const misser of turn) misser.leaveTopics();
  }
}

import type { StreamEnding } from '@carillon/policy';
import type { Publication } from '@carillon/protocol/proxy';

/** Where a stream's messages go; `onEnd` at most once and last. */
export interface StreamReceiver {
  onPublication(publication: Publication): void;
  onEnd(end: StreamEnding): void;
}

/** The subscribe streams of one instance by id, those that are still opening included. */
export class InstanceStreams {
  readonly #receivers: Map<number, StreamReceiver> = new Map();

  get size(): number {
    return this.#receivers.size;
  }

  has(id: number): boolean {
    return this.#receivers.has(id);
  }

  ids(): readonly number[] {
    return [...this.#receivers.keys()];
  }

  add(id: number, receiver: StreamReceiver): void {
    this.#receivers.set(id, receiver);
  }

  remove(id: number): boolean {
    return this.#receivers.delete(id);
  }

  /** What comes for a stream that was given up a moment ago is dropped. */
  deliver(id: number, publication: Publication): void {
    this.#receivers.get(id)?.onPublication(publication);
  }

  end(id: number, end: StreamEnding): void {
    const receiver = this.#receivers.get(id);
    if (receiver === undefined) return;
    this.#receivers.delete(id);
    receiver.onEnd(end);
  }
}

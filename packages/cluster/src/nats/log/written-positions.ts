import type { StreamPosition } from '@carillon/protocol/channel';

/** Newest position that this node has been told by the log, per channel: what a replica says later must not be older. */
export class WrittenPositions {
  readonly #maxChannels: number;
  readonly #positions: Map<string, StreamPosition> = new Map();

  constructor(maxChannels: number) {
    this.#maxChannels = maxChannels;
  }

  note(channel: string, position: StreamPosition): void {
    const known = this.#positions.get(channel);
    if (known?.epoch === position.epoch && known.offset >= position.offset) return;
    this.#positions.set(channel, position);
    if (this.#positions.size <= this.#maxChannels) return;
    const [oldest] = this.#positions.keys();
    if (oldest !== undefined) this.#positions.delete(oldest);
  }

  /** Whether we know of a later publication than the top that was read. */
  isAhead(channel: string, top: StreamPosition | undefined): boolean {
    const known = this.#positions.get(channel);
    if (known === undefined) return false;
    return top === undefined || known.epoch !== top.epoch || known.offset > top.offset;
  }

  forget(channel: string): void {
    this.#positions.delete(channel);
  }
}

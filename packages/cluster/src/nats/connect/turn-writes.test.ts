import type { NatsConnection } from '@nats-io/nats-core';
import { setImmediate as endOfTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { TurnWrites } from './turn-writes.ts';

/** As the library's: what is filled leaves with the next flush. */
class Protocol {
  readonly pieces: number[] = [];
  #bytes = 0;
  readonly outbound: { size(): number } = { size: () => this.#bytes };

  fill(bytes: number): void {
    this.#bytes += bytes;
  }

  flushPending(): void {
    if (this.#bytes > 0) this.pieces.push(this.#bytes);
    this.#bytes = 0;
  }
}

function connectionWith(protocol: unknown): NatsConnection {
  return { protocol } as unknown as NatsConnection;
}

describe('writes of one turn', () => {
  it('are held until the turn ends, and are one piece then', async () => {
    const protocol = new Protocol();
    const writes = new TurnWrites(connectionWith(protocol));
    for (let turn = 1; turn <= 2; turn += 1) {
      for (const bytes of [1, 2, 3]) {
        writes.begin();
        protocol.fill(bytes);
        protocol.flushPending();
      }
      expect(protocol.pieces).toHaveLength(turn - 1);
      await endOfTurn();
      expect(protocol.pieces).toEqual(Array.from({ length: turn }, () => 6));
    }
  });

  it('leave before its end when they are many bytes', async () => {
    const protocol = new Protocol();
    const writes = new TurnWrites(connectionWith(protocol));
    for (const bytes of [250_000, 20_000, 5]) {
      writes.begin();
      protocol.fill(bytes);
      protocol.flushPending();
    }
    expect(protocol.pieces).toEqual([270_000]);
    await endOfTurn();
    expect(protocol.pieces).toEqual([270_000, 5]);
  });

  it('are not held outside of a turn in which something was published', async () => {
    const protocol = new Protocol();
    new TurnWrites(connectionWith(protocol)).begin();
    await endOfTurn();
    protocol.fill(7);
    protocol.flushPending();
    expect(protocol.pieces).toEqual([7]);
  });

  it('go their way when the library shows nothing of it', () => {
    for (const protocol of [undefined, {}, { flushPending: () => undefined }, { outbound: {} }]) {
      new TurnWrites(connectionWith(protocol)).begin();
    }
  });
});

import type { NatsConnection } from '@nats-io/nats-core';
import { setImmediate as endOfTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { TurnWrites } from './turn-writes.ts';

function connectionWith(protocol: unknown): NatsConnection {
  return { protocol } as unknown as NatsConnection;
}

describe('writes of one turn', () => {
  it('are held by the socket until the turn ends, and once only', async () => {
    const calls: string[] = [];
    const socket = { cork: () => calls.push('cork'), uncork: () => calls.push('uncork') };
    const writes = new TurnWrites(connectionWith({ transport: { socket } }));
    writes.begin();
    writes.begin();
    expect(calls).toEqual(['cork']);
    await endOfTurn();
    expect(calls).toEqual(['cork', 'uncork']);
    writes.begin();
    await endOfTurn();
    expect(calls).toEqual(['cork', 'uncork', 'cork', 'uncork']);
  });

  it('go their way when the library shows no socket', () => {
    for (const protocol of [undefined, {}, { transport: {} }, { transport: { socket: {} } }]) {
      new TurnWrites(connectionWith(protocol)).begin();
    }
  });
});

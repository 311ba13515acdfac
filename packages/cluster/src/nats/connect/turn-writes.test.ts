import type { NatsConnection } from '@nats-io/nats-core';
import { setImmediate as endOfTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { ByteWriter } from '../record/byte-writer.ts';
import type { OutgoingMessage } from './publish-frame.ts';
import { TurnWrites } from './turn-writes.ts';

const MAX_PAYLOAD = 100_000;

/** As the library's: what is filled leaves with the next flush. */
class Protocol {
  readonly pieces: string[] = [];
  #filled = '';
  readonly outbound: { size(): number; fill: (bytes: Uint8Array) => void } = {
    size: () => this.#filled.length,
    fill: (bytes) => void (this.#filled += Buffer.from(bytes).toString()),
  };

  sendCommand(text: string): void {
    this.#filled += text;
    this.flushPending();
  }

  async flush(): Promise<void> {
    this.#filled += 'PING\r\n';
    this.flushPending();
  }

  flushPending(): void {
    if (this.#filled !== '') this.pieces.push(this.#filled);
    this.#filled = '';
  }
}

function setUp(protocol: unknown = new Protocol()) {
  const state = { isEnding: false };
  const connection = {
    protocol,
    info: { max_payload: MAX_PAYLOAD },
    isClosed: () => state.isEnding,
    isDraining: () => state.isEnding,
  };
  const writes = new TurnWrites(connection as unknown as NatsConnection);
  const send = (text: string, options: Partial<OutgoingMessage> = {}): boolean =>
    writes.send({ subject: 'a.b', payload: Buffer.from(text), reply: '', headers: '', ...options });
  return { state, writes, send };
}

describe('a publish', () => {
  it('is written with what it needs of reply and headers', async () => {
    const protocol = new Protocol();
    const { send } = setUp(protocol);
    const written = new ByteWriter();
    written.raw(Buffer.from('xyz'));
    expect(send('é')).toBe(true);
    expect(send('', { reply: 'r' })).toBe(true);
    expect(send('xy', { headers: 'A: 1\r\n' })).toBe(true);
    expect(send('', { reply: 'r', headers: 'A: 1\r\n', payload: written })).toBe(true);
    expect(written.length).toBe(0);
    await endOfTurn();
    const frames = [
      'PUB a.b 2\r\né\r\n',
      'PUB a.b r 0\r\n\r\n',
      'HPUB a.b 18 20\r\nNATS/1.0\r\nA: 1\r\n\r\nxy\r\n',
      'HPUB a.b r 18 21\r\nNATS/1.0\r\nA: 1\r\n\r\nxyz\r\n',
    ];
    expect(protocol.pieces).toEqual([frames.join('')]);
  });

  it('is left to the library when it would refuse it, or its inside is not what we know', async () => {
    const protocol = new Protocol();
    const { state, send } = setUp(protocol);
    expect(send('x'.repeat(MAX_PAYLOAD + 1))).toBe(false);
    expect(send('x'.repeat(MAX_PAYLOAD), { headers: 'A: 1\r\n' })).toBe(false);
    state.isEnding = true;
    expect(send('x')).toBe(false);
    await endOfTurn();
    expect(protocol.pieces).toEqual([]);
    for (const unknown of [undefined, {}, { flushPending: () => undefined }, { outbound: {} }]) {
      expect(setUp(unknown ?? null).send('x')).toBe(false);
    }
  });
});

describe('writes of one turn', () => {
  it('are held until the turn ends, and are one piece then, with what the library adds in its place', async () => {
    const protocol = new Protocol();
    const { send } = setUp(protocol);
    for (let turn = 1; turn <= 2; turn += 1) {
      send('1');
      protocol.sendCommand('SUB c 1\r\n');
      send('2');
      void protocol.flush();
      send('3');
      expect(protocol.pieces).toHaveLength(turn - 1);
      await endOfTurn();
      const piece = 'PUB a.b 1\r\n1\r\nSUB c 1\r\nPUB a.b 1\r\n2\r\nPING\r\nPUB a.b 1\r\n3\r\n';
      expect(protocol.pieces).toEqual(Array.from({ length: turn }, () => piece));
    }
  });

  it('take with them what is only sent when the turn ends', async () => {
    const protocol = new Protocol();
    const { send, writes } = setUp(protocol);
    send('1');
    writes.atTurnEnd(() => void send('3'));
    send('2');
    await endOfTurn();
    expect(protocol.pieces).toEqual(['PUB a.b 1\r\n1\r\nPUB a.b 1\r\n2\r\nPUB a.b 1\r\n3\r\n']);
    let isCalled = false;
    setUp(null).writes.atTurnEnd(() => (isCalled = true));
    await endOfTurn();
    expect(isCalled).toBe(true);
  });

  it('leave before its end when they are many bytes, whole and in order', async () => {
    const protocol = new Protocol();
    const { send } = setUp(protocol);
    const texts = Array.from({ length: 300 }, (_, index) => String(index).repeat(index * 2));
    for (const text of texts) send(text);
    expect(protocol.pieces.length).toBeGreaterThan(1);
    send('y'.repeat(MAX_PAYLOAD));
    await endOfTurn();
    const frames = [...texts, 'y'.repeat(MAX_PAYLOAD)].map((text) => `PUB a.b ${text.length}\r\n${text}\r\n`);
    expect(protocol.pieces.join('')).toBe(frames.join(''));
  });

  it('are written where nothing was written before: the socket may still have to read that', async () => {
    const protocol = new Protocol();
    const filled: Uint8Array[] = [];
    const { fill } = protocol.outbound;
    protocol.outbound.fill = (bytes) => {
      filled.push(bytes);
      fill(bytes);
    };
    const { send } = setUp(protocol);
    for (let turn = 0; turn < 3; turn += 1) {
      send(String(turn));
      await endOfTurn();
    }
    expect(filled.map((bytes) => Buffer.from(bytes).toString())).toEqual(protocol.pieces);
    expect(new Set(filled.map((bytes) => bytes.byteOffset)).size).toBe(3);
  });

  it('are not held outside of a turn in which something was published', async () => {
    const protocol = new Protocol();
    setUp(protocol).writes.begin();
    await endOfTurn();
    protocol.sendCommand('SUB c 1\r\n');
    expect(protocol.pieces).toEqual(['SUB c 1\r\n']);
  });

  it('go their way when the library shows nothing of it', () => {
    for (const protocol of [null, {}, { flushPending: () => undefined }, { outbound: {} }]) {
      expect(setUp(protocol).writes.begin()).toBe(false);
    }
  });
});

import { headers, type NatsConnection } from '@nats-io/nats-core';
import { describe, expect, it } from 'vitest';
import { RawHeaders } from '../request/raw-headers.ts';
import { sendPublish } from './send-publish.ts';

class FakeConnection {
  readonly info = { max_payload: 20 };
  readonly sent: string[] = [];
  readonly protocol: unknown = { sendCommand: (bytes: Uint8Array) => this.sent.push(Buffer.from(bytes).toString()) };
  isEnding = false;

  isClosed(): boolean {
    return this.isEnding;
  }

  isDraining(): boolean {
    return this.isEnding;
  }
}

function send(connection: FakeConnection, text: string, options?: object): boolean {
  const message = { subject: 'a.b', payload: Buffer.from(text), options };
  return sendPublish(connection as unknown as NatsConnection, message);
}

describe('a publish', () => {
  it('is one piece of the protocol, with what it needs of reply and headers', () => {
    const connection = new FakeConnection();
    const raw = new RawHeaders();
    raw.lines = 'A: 1\r\n';
    expect(send(connection, 'é')).toBe(true);
    expect(send(connection, '', { reply: 'r' })).toBe(true);
    expect(send(connection, 'xy', { headers: raw })).toBe(true);
    expect(send(connection, 'xy', { reply: 'r', headers: raw })).toBe(true);
    expect(connection.sent).toEqual([
      'PUB a.b 2\r\né\r\n',
      'PUB a.b r 0\r\n\r\n',
      'HPUB a.b 18 20\r\nNATS/1.0\r\nA: 1\r\n\r\nxy\r\n',
      'HPUB a.b r 18 20\r\nNATS/1.0\r\nA: 1\r\n\r\nxy\r\n',
    ]);
  });

  it('is left to the library when it would refuse it, or encodes it in its own way', () => {
    const connection = new FakeConnection();
    expect(send(connection, 'x'.repeat(21))).toBe(false);
    expect(send(connection, 'x', { headers: headers() })).toBe(false);
    connection.isEnding = true;
    expect(send(connection, 'x')).toBe(false);
    const other = new FakeConnection();
    Object.assign(other, { protocol: {} });
    expect(send(other, 'x')).toBe(false);
    expect(connection.sent).toEqual([]);
  });
});

import { describe, expect, it } from 'vitest';
import { LINE_FRAMING } from './framings.ts';
import { Outbox, type OutboxOptions } from './outbox.ts';
import { SharedChunks } from './shared-chunks.ts';

interface Fixture {
  readonly outbox: Outbox;
  readonly chunks: string[];
  readonly sink: { hasRoom: boolean; corks: number };
  readonly overflows: number[];
}

function start(options: Partial<OutboxOptions> = {}): Fixture {
  const chunks: string[] = [];
  const sink = { hasRoom: true, corks: 0 };
  const overflows: number[] = [];
  const outbox = new Outbox({
    chunks: new SharedChunks(LINE_FRAMING),
    limitBytes: 100,
    onOverflow: () => overflows.push(chunks.length),
    sink: {
      write: (chunk) => {
        chunks.push(new TextDecoder().decode(chunk));
        return sink.hasRoom;
      },
      cork: (write) => {
        sink.corks += 1;
        write();
      },
    },
    ...options,
  });
  return { outbox, chunks, sink, overflows };
}

const message = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('outbox', () => {
  it('writes nothing before it is flushed, and nothing when it is empty', () => {
    const { outbox, chunks, sink } = start();
    outbox.flush();
    outbox.push(message('a'));
    expect([chunks, sink.corks]).toEqual([[], 0]);
    outbox.flush();
    outbox.flush();
    expect([chunks, sink.corks]).toEqual([['a\n'], 1]);
  });

  it('joins at most 16 messages in a chunk', () => {
    const { outbox, chunks } = start();
    for (let count = 0; count < 33; count += 1) outbox.push(message('a'));
    outbox.flush();
    expect(chunks.map(({ length }) => length / 2)).toEqual([16, 16, 1]);
  });

  it('joins less when messages are large, and never splits one', () => {
    const { outbox, chunks } = start({ limitBytes: 1_000_000 });
    for (const size of [20_000, 8000, 8000, 8000]) outbox.push(new Uint8Array(size).fill(0x61));
    outbox.flush();
    expect(chunks.map(({ length }) => length)).toEqual([20_001, 16_002, 8001]);
  });

  it('waits for room, then goes on where it stopped', () => {
    const { outbox, chunks, sink } = start();
    sink.hasRoom = false;
    for (let count = 0; count < 17; count += 1) outbox.push(message('a'));
    outbox.flush();
    outbox.flush();
    expect(chunks).toHaveLength(1);
    outbox.writable();
    expect(chunks).toHaveLength(2);
    expect(outbox.isEmpty).toBe(true);
    sink.hasRoom = true;
    outbox.push(message('b'));
    outbox.flush();
    expect(chunks).toHaveLength(2);
    outbox.writable();
    expect(chunks.at(-1)).toBe('b\n');
  });

  it('lets the sink move what it holds when nothing waits', () => {
    const { outbox, sink } = start();
    outbox.writable();
    expect(sink.corks).toBe(1);
  });

  it('overflows once over the limit, counting what the sink holds, and is silent afterwards', () => {
    const { outbox, chunks, sink, overflows } = start();
    sink.hasRoom = false;
    outbox.push(message('x'.repeat(59)));
    outbox.flush();
    outbox.push(message('x'.repeat(39)));
    expect(overflows).toEqual([]);
    outbox.push(message('x'));
    expect(overflows).toEqual([1]);
    outbox.push(message('x'.repeat(200)));
    outbox.writable();
    expect([chunks.length, overflows, outbox.isEmpty]).toEqual([1, [1], true]);
  });

  it('forgets what the sink held once it took everything', () => {
    const { outbox, sink, overflows } = start();
    for (let round = 0; round < 10; round += 1) {
      sink.hasRoom = round % 2 === 1;
      outbox.push(message('x'.repeat(40)));
      outbox.writable();
    }
    expect(overflows).toEqual([]);
  });
});

import { describe, expect, it } from 'vitest';
import { EVENT_FRAMING, LINE_FRAMING, NO_FRAMING } from './framings.ts';
import { SharedChunks } from './shared-chunks.ts';

const message = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (chunk: Uint8Array): string => new TextDecoder().decode(chunk);

describe('shared chunks', () => {
  const [a, b, c] = [message('a'), message('b'), message('c')];

  it('hold the chosen messages, each in its frame', () => {
    expect(text(new SharedChunks(LINE_FRAMING).chunk([a, b, c], 1, 3))).toBe('b\nc\n');
    expect(text(new SharedChunks(EVENT_FRAMING).chunk([a, b, c], 0, 2))).toBe('data: a\n\ndata: b\n\n');
    expect(text(new SharedChunks(NO_FRAMING).chunk([a, b, c], 0, 3))).toBe('abc');
  });

  it('are one object for connections that send the same messages, wherever their queues have them', () => {
    const chunks = new SharedChunks(EVENT_FRAMING);
    const first = chunks.chunk([a, b], 0, 2);
    expect(chunks.chunk([c, a, b], 1, 3)).toBe(first);
  });

  it('are made anew for other messages, also when those are equal or a part of the last ones', () => {
    const chunks = new SharedChunks(LINE_FRAMING);
    const first = chunks.chunk([a, b], 0, 2);
    expect(text(chunks.chunk([a, b], 0, 1))).toBe('a\n');
    expect(text(chunks.chunk([a, b], 1, 2))).toBe('b\n');
    expect(chunks.chunk([a, message('b')], 0, 2)).not.toBe(first);
    expect(text(first)).toBe('a\nb\n');
  });

  it('are the message itself where nothing comes round it', () => {
    expect(new SharedChunks(NO_FRAMING).chunk([a], 0, 1)).toBe(a);
  });

  it('begin empty', () => {
    expect(new SharedChunks(LINE_FRAMING).chunk([a], 0, 0)).toHaveLength(0);
  });
});

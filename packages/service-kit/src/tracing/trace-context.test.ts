import { describe, expect, it } from 'vitest';
import { formatTraceparent, parseTraceparent } from './trace-context.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

describe('traceparent', () => {
  it.each([
    [`00-${TRACE}-${SPAN}-01`, true],
    [`00-${TRACE}-${SPAN}-00`, false],
    [`00-${TRACE}-${SPAN}-03`, true],
    [` 00-${TRACE}-${SPAN}-01 `, true],
    [`01-${TRACE}-${SPAN}-01-what-comes-later`, true],
  ])('%s is a place in a trace', (text, isSampled) => {
    expect(parseTraceparent(text)).toEqual({ traceId: TRACE, spanId: SPAN, isSampled });
  });

  it.each([
    '',
    'garbage',
    `ff-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01-more`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE}-${SPAN}`,
  ])('%s is ignored', (text) => {
    expect(parseTraceparent(text)).toBeUndefined();
  });

  it('goes with its state, unless that is longer than anybody has to pass on', () => {
    const text = `00-${TRACE}-${SPAN}-01`;
    expect(parseTraceparent(text, 'a=1,b=2')).toMatchObject({ state: 'a=1,b=2' });
    expect(parseTraceparent(text, '')).not.toHaveProperty('state');
    expect(parseTraceparent(text, `a=${'x'.repeat(600)}`)).not.toHaveProperty('state');
    expect(parseTraceparent('garbage', 'a=1')).toBeUndefined();
  });

  it('is written as it is read', () => {
    for (const isSampled of [true, false]) {
      const context = { traceId: TRACE, spanId: SPAN, isSampled };
      expect(parseTraceparent(formatTraceparent(context))).toEqual(context);
    }
  });
});

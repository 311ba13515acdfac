import fc from 'fast-check';
import { test } from 'vitest';
import { formatGoDuration, parseDuration } from './go-duration.ts';

test('what is printed reads back as the same duration', () => {
  fc.assert(fc.property(fc.integer({ min: -1e12, max: 1e12 }), (ms) => parseDuration(formatGoDuration(ms)) === ms));
});

test('reading arbitrary text never throws', () => {
  fc.assert(fc.property(fc.string(), (text) => ['number', 'undefined'].includes(typeof parseDuration(text))));
});

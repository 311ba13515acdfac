import { expect, test } from 'vitest';
import { formatGoDuration, parseDuration } from './go-duration.ts';

test.each([
  ['25s', 25_000],
  ['1h30m', 5_400_000],
  ['1.5s', 1500],
  ['.5m', 30_000],
  ['-2s', -2000],
  ['+2s', 2000],
  ['100ms', 100],
  ['1us', 0.001],
  ['1µs', 0.001],
  ['0', 0],
])('%s is %d ms', (text, expected) => {
  expect(parseDuration(text)).toBe(expected);
});

test.each(['', '1', '-1', '1d', 's', '1s2', '1 s', '..s', 'abc'])('%j is no duration', (text) => {
  expect(parseDuration(text)).toBeUndefined();
});

test.each([
  [604_800_000, '168h0m0s'],
  [90_000, '1m30s'],
  [0, '0s'],
  [1500, '1.5s'],
  [20, '20ms'],
  [0.5, '500µs'],
  [0.00006, '60ns'],
  [-1000, '-1s'],
])('%d ms prints as %s', (ms, expected) => {
  expect(formatGoDuration(ms)).toBe(expected);
});

import { expect, test } from 'vitest';

import { preferBase64, preferData } from './reply-payload.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

test.each([
  ['bm8=', undefined, bytes('no')],
  ['bm8=', bytes('yes'), bytes('no')],
  [undefined, bytes('yes'), bytes('yes')],
  ['', bytes('yes'), bytes('yes')],
  [undefined, undefined, undefined],
])('base64 %j wins over data', (b64, data, expected) => {
  expect(preferBase64(b64, data)).toEqual({ kind: 'payload', data: expected });
});

test.each([
  [bytes('yes'), 'bm8=', bytes('yes')],
  [bytes('null'), 'bm8=', bytes('null')],
  [undefined, 'bm8=', bytes('no')],
  [undefined, undefined, undefined],
])('data wins over base64', (data, b64, expected) => {
  expect(preferData(data, b64)).toEqual({ kind: 'payload', data: expected });
});

test('base64 that cannot be decoded is invalid, and not looked at when data wins', () => {
  expect(preferBase64('!', bytes('x'))).toEqual({ kind: 'invalid' });
  expect(preferData(undefined, '!')).toEqual({ kind: 'invalid' });
  expect(preferData(bytes('x'), '!')).toMatchObject({ kind: 'payload' });
});

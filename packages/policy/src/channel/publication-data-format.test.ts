import type { PublicationDataFormat } from '@carillon/protocol/channel';
import { expect, test } from 'vitest';

import { effectiveDataFormat, isAcceptedPayload } from './publication-data-format.ts';

test.each<[PublicationDataFormat, string, boolean]>([
  ['', '', false],
  ['', 'anything', true],
  ['json', '', false],
  ['json', '1', true],
  ['json', 'null', true],
  ['json', ' {"a":1} ', true],
  ['json', '{', false],
  ['json', '{} {}', false],
  ['json_object', '{}', true],
  ['json_object', ' \n{"a":[]}', true],
  ['json_object', '[1]', false],
  ['json_object', 'null', false],
  ['json_object', '{', false],
  ['json_object', '', false],
  ['binary', '', true],
  ['binary', '\u0000', true],
])('format %j takes %j: %s', (format, text, isAccepted) => {
  expect(isAcceptedPayload(format, new TextEncoder().encode(text))).toBe(isAccepted);
});

test('the namespace has a format of its own or takes that of the group', () => {
  expect(effectiveDataFormat('', 'json')).toBe('json');
  expect(effectiveDataFormat('binary', 'json')).toBe('binary');
});

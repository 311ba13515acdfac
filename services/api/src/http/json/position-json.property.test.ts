import { apiMethods, type ApiResponse } from '@carillon/protocol/api';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createResponseWriter } from './response-writer.ts';

const position = fc.record({
  offset: fc.oneof(fc.constant(0), fc.nat(), fc.constant(Number.MAX_SAFE_INTEGER)),
  epoch: fc.oneof(fc.constant(''), fc.stringMatching(/^[A-Za-z0-9_-]{1,12}$/), fc.string({ maxLength: 8 })),
});
const answer: fc.Arbitrary<ApiResponse<object>> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ result: position }) },
  fc.constant({ result: {} }),
  fc.constant({ error: { code: 102, message: 'unknown channel' } }),
);

function bytesOf(text: Uint8Array | string): string {
  return Buffer.from(text).toString();
}

describe('answers to publishes', () => {
  test('of one channel are what the codec writes', () => {
    const { publish } = apiMethods;
    const write = createResponseWriter(publish);
    fc.assert(
      fc.property(answer, (response) => {
        expect(bytesOf(write(response))).toBe(bytesOf(publish.response.writeJson(response)));
      }),
    );
  });

  test('of many channels are what the codec writes', () => {
    const { broadcast } = apiMethods;
    const write = createResponseWriter(broadcast);
    fc.assert(
      fc.property(fc.array(answer, { maxLength: 4 }), (responses) => {
        const response = { result: { responses } };
        expect(bytesOf(write(response))).toBe(bytesOf(broadcast.response.writeJson(response)));
      }),
    );
  });

  test('of other methods that have offset and epoch are for the codec', () => {
    const { history } = apiMethods;
    const response = { result: { offset: 3, epoch: 'e', publications: [] } };
    expect(bytesOf(createResponseWriter(history)(response))).toBe(bytesOf(history.response.writeJson(response)));
  });
});

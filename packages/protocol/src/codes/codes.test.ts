import { describe, expect, it } from 'vitest';
import { API_ERRORS, ApiError, API_CONFLICT } from './api-errors.ts';
import { CLIENT_ERRORS, ClientError, CONCURRENT_PAGINATION } from './client-errors.ts';
import {
  Disconnect,
  DISCONNECTS,
  DISCONNECT_STALE,
  isReconnectCode,
  MAX_DISCONNECT_REASON_BYTES,
} from './disconnects.ts';
import { isResubscribeCode, UNSUBSCRIBES } from './unsubscribes.ts';

describe('client errors', () => {
  it('are the codes 100 to 113 without a gap', () => {
    expect(CLIENT_ERRORS.map((row) => row.code)).toEqual(Array.from({ length: 14 }, (_, index) => 100 + index));
  });

  it('become an exception that carries the row', () => {
    const error = new ClientError(CONCURRENT_PAGINATION, { cause: 'why' });
    expect(error).toMatchObject({ code: 113, message: 'concurrent pagination', temporary: true, cause: 'why' });
    expect(new ClientError({ code: 1000, message: 'custom', temporary: false }).code).toBe(1000);
  });
});

describe('disconnects', () => {
  it('are those of the table, in order', () => {
    expect(DISCONNECTS.map((row) => row.code)).toEqual([
      3000, 3001, 3004, 3005, 3006, 3008, 3009, 3010, 3011, 3012, 3013, 3014, 3500, 3501, 3502, 3503, 3504, 3505, 3506,
      3507, 3508, 3509,
    ]);
  });

  it('have reasons that fit a close frame and are not JSON', () => {
    for (const row of DISCONNECTS) {
      expect(Buffer.byteLength(row.reason)).toBeLessThanOrEqual(MAX_DISCONNECT_REASON_BYTES);
      expect(() => JSON.parse(row.reason) as unknown).toThrow(SyntaxError);
    }
  });

  it.each([
    [1000, true],
    [1009, false],
    [2999, true],
    [3000, true],
    [3499, true],
    [3500, false],
    [3999, false],
    [4000, true],
    [4499, true],
    [4500, false],
    [4999, false],
    [5000, true],
  ])('code %i lets SDKs reconnect: %s', (code, reconnects) => {
    expect(isReconnectCode(code)).toBe(reconnects);
  });

  it('become an exception that carries the row', () => {
    expect(new Disconnect(DISCONNECT_STALE)).toMatchObject({ code: 3502, reason: 'stale', message: 'stale' });
  });
});

describe('unsubscribe codes', () => {
  it('from 2500 on make SDKs subscribe again', () => {
    expect(UNSUBSCRIBES.filter((row) => isResubscribeCode(row.code)).map((row) => row.code)).toEqual([
      2500, 2501, 2502,
    ]);
  });
});

describe('API errors', () => {
  it('have the statuses of the table', () => {
    expect(API_ERRORS.map((row) => [row.code, row.httpStatus, row.grpcStatus])).toEqual([
      [100, 500, 13],
      [102, 404, 5],
      [104, 404, 5],
      [107, 400, 3],
      [108, 400, 3],
      [112, 416, 11],
      [113, 409, 6],
    ]);
  });

  it('become an exception that carries the row', () => {
    expect(new ApiError(API_CONFLICT)).toMatchObject({
      code: 113,
      message: 'conflict',
      httpStatus: 409,
      grpcStatus: 6,
    });
  });
});

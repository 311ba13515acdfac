import { describe, expect, it } from 'vitest';
import { createApiKeyCheck } from './api-key.ts';

interface Given {
  readonly header?: string;
  readonly authorization?: string;
  readonly query?: string;
}

function request({
  header = '',
  authorization = '',
  query,
}: Given): Parameters<ReturnType<typeof createApiKeyCheck>>[0] {
  // uWS gives undefined for a request without a query, whatever its types say.
  return { getHeader: (name) => (name === 'x-api-key' ? header : authorization), getQuery: () => query as string };
}

describe('the API key', () => {
  const check = createApiKeyCheck({ key: 'k', isInsecure: false });

  it.each<[string, Given, boolean]>([
    ['nothing', {}, false],
    ['X-API-Key', { header: 'k' }, true],
    ['a wrong X-API-Key', { header: 'x' }, false],
    ['a wrong X-API-Key and a right Authorization', { header: 'x', authorization: 'apikey k' }, false],
    ['a wrong X-API-Key and a right query', { header: 'x', query: 'api_key=k' }, true],
    ['Authorization', { authorization: 'apikey k' }, true],
    ['another scheme', { authorization: 'Bearer k' }, false],
    ['three fields', { authorization: 'apikey k k' }, false],
    ['one field', { authorization: 'apikey' }, false],
    ['a wrong Authorization and a right query', { authorization: 'apikey x', query: 'api_key=k' }, true],
    ['the first of two in the query', { query: 'api_key=x&api_key=k' }, false],
    ['an empty query', { query: '' }, false],
    ['a key in another case', { header: 'K' }, false],
    ['a longer key', { header: 'kk' }, false],
  ])('given as %s: %j is %s', (_title, given, isAdmitted) => {
    expect(check(request(given))).toBe(isAdmitted);
  });
});

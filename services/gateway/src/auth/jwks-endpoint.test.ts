import { expect, it } from 'vitest';

import { createEndpointResolver } from './jwks-endpoint.ts';

const resolve = createEndpointResolver('https://keys.example/my%20realm/{{tenant}}/jwks');

it('a template takes the names that rules found, in a path that may hold escapes', () => {
  expect(resolve({ tenant: 'a' })).toBe('https://keys.example/my%20realm/a/jwks');
  expect(resolve({ tenant: 'a%20b' })).toBe('https://keys.example/my%20realm/a%20b/jwks');
});

it.each(['', '.', '..', '../b', 'a/../b', '%2e%2e', 'a%2f..%2fb', 'a%2f%2fb', '..\\b', '.\t.', '.\n.', '%', '%ff'])(
  'a path that the name %j makes unclean is refused',
  (tenant) => {
    expect(() => resolve({ tenant })).toThrow(expect.objectContaining({ code: 'invalid' }));
  },
);

it('a URL without placeholders is taken as it is', () => {
  expect(createEndpointResolver('https://keys.example/jwks/')({ tenant: 'a' })).toBe('https://keys.example/jwks/');
});

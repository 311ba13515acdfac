import fc from 'fast-check';
import { expect, test } from 'vitest';

import { matchesWildcard } from './match-wildcard.ts';

const letter = fc.constantFrom('a', 'b', ':', '/', '.', '🔔');

/** The definition, with no thought of time. */
function matchesByDefinition(pattern: readonly string[], name: readonly string[]): boolean {
  const [first, ...rest] = pattern;
  if (first === undefined) return name.length === 0;
  if (first === '*') {
    return matchesByDefinition(rest, name) || (name.length > 0 && matchesByDefinition(pattern, name.slice(1)));
  }
  return name.length > 0 && (first === '?' || first === name[0]) && matchesByDefinition(rest, name.slice(1));
}

test('a wildcard matches exactly what its definition says', () => {
  const pattern = fc.array(fc.oneof(letter, fc.constantFrom('*', '?')), { maxLength: 7 });
  const name = fc.array(letter, { maxLength: 8 });
  fc.assert(
    fc.property(pattern, name, (pattern, name) => {
      expect(matchesWildcard(pattern.join(''), name.join(''))).toBe(matchesByDefinition(pattern, name));
    }),
    { numRuns: 2_000 },
  );
});

test('a pattern made from a name by replacing runs with stars matches the name', () => {
  fc.assert(
    fc.property(fc.array(letter, { minLength: 1, maxLength: 20 }), fc.nat(), fc.nat(), (name, from, length) => {
      const start = from % name.length;
      const pattern = [...name.slice(0, start), '*', ...name.slice(start + (length % 5))];
      expect(matchesWildcard(pattern.join(''), name.join(''))).toBe(true);
    }),
  );
});

test('many stars do not take exponential time', () => {
  expect(matchesWildcard(`${'a*'.repeat(100)}b`, 'a'.repeat(255))).toBe(false);
});

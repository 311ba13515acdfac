/**
 * Whole-name match (tokens.md §10): `*` is any run of characters, also an empty one and across `:` and `/`; `?` is exactly
 * one character; everything else is literal. At most length × length steps, whatever the pattern.
 */
export function matchesWildcard(pattern: string, name: string): boolean {
  const wanted = Array.from(pattern);
  const given = Array.from(name);
  let at = 0;
  let star = -1;
  let resumeAt = 0;
  for (let index = 0; index < given.length;) {
    const expected = wanted[at];
    if (expected === '*') {
      star = at++;
      resumeAt = index;
    } else if (expected === '?' || expected === given[index]) {
      at++;
      index++;
    } else if (star === -1) {
      return false;
    } else {
      // Only the last star ever needs to grow: an earlier one that took more could not do better.
      at = star + 1;
      index = ++resumeAt;
    }
  }
  while (wanted[at] === '*') at++;
  return at === wanted.length;
}

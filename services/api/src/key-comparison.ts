import { timingSafeEqual } from 'node:crypto';

/** Compares with the given key, in a time that depends on the length of what is given alone. */
export function createKeyComparison(key: string): (given: string) => boolean {
  const expected = Buffer.from(key);
  const scratch = Buffer.alloc(expected.length);
  return (given) => {
    // Also bounds what is written: text of another length is never compared.
    if (Buffer.byteLength(given) !== expected.length) return false;
    scratch.write(given);
    return timingSafeEqual(scratch, expected);
  };
}

/** Per-message TTL, sourcing with transforms, batched direct get and compare-and-set by filter all came by this one. */
export const MIN_SERVER_VERSION = '2.12.0';

/** Below, at or above zero as `a` is older than, the same as or newer than `b`; suffixes such as `-RC.1` do not count. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [numbersOf(a), numbersOf(b)];
  for (let index = 0; index < 3; index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function numbersOf(version: string): number[] {
  const plain = /^v?([0-9.]+)/.exec(version)?.[1] ?? '';
  return plain.split('.').map(Number);
}

import { expect, test } from 'vitest';
import { compareVersions } from './server-version.ts';

test('versions compare by number, whatever is around them', () => {
  expect(compareVersions('2.12.0', '2.12.0')).toBe(0);
  expect(compareVersions('v2.9.25', '2.12.0')).toBeLessThan(0);
  expect(compareVersions('2.12.1-RC.3', '2.12.0')).toBeGreaterThan(0);
  expect(compareVersions('3.0', '2.12.0')).toBeGreaterThan(0);
  expect(compareVersions('', '2.12.0')).toBeLessThan(0);
});

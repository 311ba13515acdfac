import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';

import { ROOT } from '../harness/checkout.ts';

/**
 * Compares a part of a page, between `<!-- generated: name -->` and `<!-- end -->`, with what it should be. With WRITE_DOCS=1 in
 * the environment it writes the part instead.
 */
export function expectGenerated(page: string, name: string, expected: string): void {
  const path = join(ROOT, page);
  const text = readFileSync(path, 'utf8');
  const opening = `<!-- generated: ${name} -->\n`;
  const start = text.indexOf(opening) + opening.length;
  const end = text.indexOf('<!-- end -->', start);
  if (!text.includes(opening) || end < 0) throw new Error(`${page} has no part ${name}`);
  const wanted = `\n${expected.trim()}\n\n`;
  if (process.env['WRITE_DOCS'] === '1') writeFileSync(path, text.slice(0, start) + wanted + text.slice(end));
  else expect(rowsOf(text.slice(start, end)), `${page}: run this test with WRITE_DOCS=1`).toEqual(rowsOf(wanted));
}

/** Lines without the padding that a formatter gives tables. */
function rowsOf(text: string): string[] {
  return text
    .trim()
    .split('\n')
    .filter((line) => !/^[|\s:-]+$/.test(line))
    .map((line) => line.replaceAll(/\s*\|\s*/g, ' | ').trim());
}

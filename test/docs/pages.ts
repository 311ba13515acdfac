import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { ROOT } from '../harness/checkout.ts';

/** The pages of a folder of the checkout, folders in it included, by their paths from the root. */
export function pagesIn(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name))
    .toSorted();
}

export function readPage(page: string): string {
  return readFileSync(join(ROOT, page), 'utf8');
}

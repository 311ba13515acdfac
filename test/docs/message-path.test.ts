import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { ROOT } from '../harness/checkout.ts';
import { readPage } from './pages.ts';

/** Pages that walk through the code. */
const walks = ['docs/message-path.md', 'docs/architecture.md', 'CONTRIBUTING.md'];

describe('the documentation', () => {
  it.each(walks)('%s names only files that exist', (page) => {
    const paths = [...readPage(page).matchAll(/`((?:services|packages|test|deploy)\/[^`\s]+)`/g)].map(
      ([, path]) => path ?? '',
    );
    const files = paths.filter((path) => !path.includes('*'));
    expect(files.length).toBeGreaterThan(3);
    expect(files.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
  });
});

import { afterAll, describe, expect, it } from 'vitest';

import { PageRun, ROLES } from './page-run.ts';
import { pagesIn, readPage } from './pages.ts';
import { sectionsOf } from './snippets.ts';

const STEP_DEADLINE_MS = 90_000;

const pages = pagesIn('docs')
  .map((page) => ({
    page,
    blocks: sectionsOf(readPage(page)).flatMap(({ snippets }) => snippets.filter(({ role }) => ROLES.includes(role))),
  }))
  .filter(({ blocks }) => blocks.length > 0);

describe('pages that are carried out', () => {
  it('are there', () => {
    expect(pages.map(({ page }) => page)).toEqual(
      expect.arrayContaining(['docs/quick-start.md', 'docs/server-api.md']),
    );
  });
});

describe.each(pages)('$page, from the top to the end', ({ blocks }) => {
  const run = new PageRun();
  afterAll(() => run.end(), STEP_DEADLINE_MS);

  it.each(blocks)('line $line: $language $role', (block) => run.carryOut(block), STEP_DEADLINE_MS);
});

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { ROOT } from '../harness/checkout.ts';
import { pagesIn, readPage } from './pages.ts';

const pages = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...pagesIn('docs')];

/** What is not code: links in programs are not links of the page. */
const proseOf = (page: string): string => readPage(page).replaceAll(/^( *)```[\s\S]*?^\1```$/gm, '');

/** Anchors that GitHub gives the headings of a page; a heading that comes again gets a number. */
function anchorsOf(page: string): string[] {
  const seen = new Map<string, number>();
  return [...proseOf(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => {
    const anchor = heading
      .toLowerCase()
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .replaceAll(/[^\p{L}\p{N}_\s-]/gu, '')
      .replaceAll(' ', '-');
    const times = seen.get(anchor) ?? 0;
    seen.set(anchor, times + 1);
    return times === 0 ? anchor : `${anchor}-${times}`;
  });
}

/** Targets of links and pictures that are files of ours. */
function linksOf(page: string): { readonly file: string; readonly anchor: string }[] {
  const text = proseOf(page);
  const found = [...text.matchAll(/\]\(([^)\s]+)\)/g), ...text.matchAll(/(?:src|href)="([^"]+)"/g)];
  return found
    .map(([, target = '']) => target)
    .filter((target) => !/^(https?|mailto):/.test(target))
    .map((target) => {
      const [file = '', anchor = ''] = target.split('#');
      return { file: file === '' ? page : join(dirname(page), file), anchor };
    });
}

describe('the links of the documentation', () => {
  it.each(pages)('of %s lead to files and headings that exist', (page) => {
    const broken = linksOf(page).filter(
      ({ file, anchor }) => !existsSync(join(ROOT, file)) || (anchor !== '' && !anchorsOf(file).includes(anchor)),
    );
    expect(broken).toEqual([]);
  });

  it('lead from docs/README.md to every page', () => {
    const linked = new Set(linksOf('docs/README.md').map(({ file }) => file));
    const own = pagesIn('docs').filter((page) => page !== 'docs/README.md');
    expect(own.filter((page) => !linked.has(page))).toEqual([]);
  });

  it('lead from README.md to docs/README.md', () => {
    expect(linksOf('README.md').map(({ file }) => file)).toContain('docs/README.md');
  });

  it('are known for what they are', () => {
    expect(anchorsOf('docs/operations.md')).toContain('what-happens-when-something-is-away');
    expect(linksOf('docs/operations.md').length).toBeGreaterThan(3);
  });
});

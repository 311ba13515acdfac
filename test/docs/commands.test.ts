import { describe, expect, it } from 'vitest';

import { pagesIn, readPage } from './pages.ts';

const { scripts } = JSON.parse(readPage('package.json')) as { readonly scripts: Readonly<Record<string, string>> };
const pages = ['README.md', 'CONTRIBUTING.md', ...pagesIn('docs')];

describe('the commands that pages print', () => {
  it.each(pages)('of %s are scripts of package.json', (page) => {
    const named = [...readPage(page).matchAll(/\bnpm run (?:-s )?([\w:-]+)/g)].map(([, name = '']) => name);
    expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
  });
});

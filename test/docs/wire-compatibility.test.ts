import { apiMethods } from '@carillon/protocol/api';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { ROOT } from '../harness/checkout.ts';
import { expectGenerated } from './generated-part.ts';

describe('docs/wire-compatibility.md', () => {
  it('lists the methods of the server API', () => {
    const names = Object.values(apiMethods).map(({ name }) => `\`${name}\``);
    expectGenerated('docs/wire-compatibility.md', 'methods', names.join(', '));
  });

  it('lists the options that have no effect yet', () => {
    const source = readFileSync(join(ROOT, 'packages/config/src/check/not-built-yet.ts'), 'utf8');
    const list = /NOT_BUILT_YET[^=]*= new Map\(\[([^]*?)\n\]\);/.exec(source)?.[1] ?? '';
    const rows = [...list.matchAll(/\['([^']+)', '([^']+)'\]/g)].map(([, option, why]) => `| \`${option}\` | ${why} |`);
    expect(rows.length).toBeGreaterThan(30);
    expectGenerated(
      'docs/wire-compatibility.md',
      'options',
      ['| Option | Why, or what does its work |', '|---|---|', ...rows].join('\n'),
    );
  });
});

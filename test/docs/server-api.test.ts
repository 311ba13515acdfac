import { apiMethods } from '@carillon/protocol/api';
import { API_ERRORS } from '@carillon/protocol/codes';
import { status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';

import { readPage } from './pages.ts';

const page = readPage('docs/server-api.md');

describe('docs/server-api.md', () => {
  it('has every method, those that can be called with a request', () => {
    const names = Object.values(apiMethods).map(({ name }) => name);
    expect(names.filter((name) => !page.includes(`\`${name}\``) && !page.includes(`\n### ${name}\n`))).toEqual([]);
    const uncalled = names.filter((name) => !page.includes(`/api/${name}`) && !/^(map|shared)_/.test(name));
    expect(uncalled).toEqual([]);
  });

  it('has every error with its statuses', () => {
    const rows = [...page.matchAll(/^\| (\d{3})\s*\| `([^`]+)`\s*\| (\d{3})\s*\| ([A-Z_]+)\s*\|/gm)];
    const shown = rows.map(([, code, message, http, grpc]) => `${code} ${message} ${http} ${grpc}`);
    expect(shown).toEqual(
      API_ERRORS.map(({ code, message, httpStatus, grpcStatus }) =>
        [code, message, httpStatus, status[grpcStatus]].join(' '),
      ),
    );
  });
});

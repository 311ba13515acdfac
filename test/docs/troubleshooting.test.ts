import { CLIENT_ERRORS, DISCONNECTS, UNSUBSCRIBES } from '@carillon/protocol/codes';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { ROOT } from '../harness/checkout.ts';

const page = readFileSync(join(ROOT, 'docs/troubleshooting.md'), 'utf8');

describe('docs/troubleshooting.md', () => {
  it('has each code that a client can see, with its text', () => {
    const codes = [
      ...CLIENT_ERRORS.map(({ code, message }) => `${code} ${message}`),
      ...DISCONNECTS.map(({ code, reason }) => `${code} ${reason}`),
      // Codes below 2000 are the client's own.
      ...UNSUBSCRIBES.filter(({ code }) => code >= 2000).map(({ code, reason }) => `${code} ${reason}`),
    ];
    const rows = [...page.matchAll(/^\| (\d{3,4})\s*\| ([^|]*?)\s*\|/gm)].map(([, code, text]) => `${code} ${text}`);
    expect(codes.length).toBeGreaterThan(30);
    expect(codes.filter((row) => !rows.includes(row))).toEqual([]);
  });
});

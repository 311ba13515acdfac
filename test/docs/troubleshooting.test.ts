import { CLIENT_ERRORS, DISCONNECTS, UNSUBSCRIBES } from '@carillon/protocol/codes';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { ROOT } from '../harness/checkout.ts';
import { readPage } from './pages.ts';

const page = readPage('docs/troubleshooting.md');

/** What processes can say: the texts of the sources, without those of tests. */
const sources = ['packages', 'services'].map((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /^[^/]+\/src\/.*\.(ts|mjs)$/.test(name) && !/\.test\.ts$|node_modules/.test(name))
    .map((name) => readFileSync(join(ROOT, folder, name), 'utf8'))
    .join('\n'),
);

/** Messages in the first column of the tables of a section. */
function messagesOf(section: string): string[] {
  const [, text = ''] = page.split(`\n## ${section}\n`);
  const cells = [
    ...text
      .split('\n## ', 1)
      .join('')
      .matchAll(/^\| (`[^|]*`)\s*\|/gm),
  ].map(([, cell = '']) => cell);
  return cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, message = '']) => message));
}

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

  it.each(['Why a token was refused', 'The start', 'What the log says'])('%s: has messages that exist', (section) => {
    const messages = messagesOf(section);
    expect(messages.length).toBeGreaterThan(10);
    const unknown = messages.filter((message) => {
      const parts = message.split('…').map((part) => part.trim());
      return !parts.every((part) => sources.some((text) => text.includes(part)));
    });
    expect(unknown).toEqual([]);
  });
});

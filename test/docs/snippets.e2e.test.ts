import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ROOT } from '../harness/checkout.ts';
import { runCommand, startProcess, type ServerProcess } from '../harness/start-process.ts';
import { runShell } from './run-snippet.ts';
import { sectionsOf, type Snippet } from './snippets.ts';

const START_DEADLINE_MS = 90_000;

interface PageSnippet extends Snippet {
  readonly page: string;
  readonly section: string;
}

const snippets: PageSnippet[] = readdirSync(join(ROOT, 'docs'))
  .filter((name) => name.endsWith('.md'))
  .flatMap((page) =>
    sectionsOf(readFileSync(join(ROOT, 'docs', page), 'utf8')).flatMap(({ title, snippets: found }) =>
      found.map((snippet) => ({ ...snippet, page, section: title })),
    ),
  );

describe('the pages of docs', () => {
  let server: ServerProcess;
  beforeAll(async () => {
    const config = JSON.parse(readFileSync(join(ROOT, 'deploy/dev/config.json'), 'utf8'));
    server = await startProcess({ command: 'serve', config });
  }, START_DEADLINE_MS);
  afterAll(() => server.stop(), START_DEADLINE_MS);

  it.each(snippets.filter(({ role }) => role === 'runnable'))(
    '$page, line $line: runs as it is printed',
    async ({ text }) => {
      const { code, output } = await runShell(text.replaceAll('http://localhost:8000', server.url));
      expect(code).toBe(0);
      if (text.startsWith('curl ')) expect(JSON.parse(output)).toEqual({ result: expect.anything() });
      else expect(output).toMatch(/\bey[\w-]+\.[\w-]+\.[\w-]+\s*$/);
    },
  );

  it.each(snippets.filter(({ role }) => role === 'config' || role === 'server'))(
    '$page, line $line: is a configuration',
    async ({ text }) => {
      const { code, stdout } = await runCommand(['checkconfig', '--strict'], { config: text });
      expect([code, stdout]).toEqual([0, '']);
    },
  );
});

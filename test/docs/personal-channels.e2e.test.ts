import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

import { ROOT } from '../harness/checkout.ts';
import { eventually } from '../harness/eventually.ts';
import { freePort } from '../harness/free-port.ts';
import { startProcess, type ServerProcess } from '../harness/start-process.ts';
import { runShell, startProgram } from './run-snippet.ts';
import { sectionsOf, type Section } from './snippets.ts';

const START_DEADLINE_MS = 90_000;
const DEV_CONFIG = readFileSync(join(ROOT, 'deploy/dev/config.json'), 'utf8');
const sections = sectionsOf(readFileSync(join(ROOT, 'docs/personal-channels.md'), 'utf8'));
const ways = sections.filter(({ title }) => /^\d\. /.test(title));
const opening = sections.find(({ title }) => title === 'To try them');

/** Servers by their configuration: sections with the same one share it. */
const servers = new Map<string, Promise<ServerProcess>>();
const backendPort = await freePort();

afterAll(async () => {
  for (const server of servers.values()) await (await server).stop();
}, START_DEADLINE_MS);

function serverOf(section: Section): Promise<ServerProcess> {
  const text = here(textOf(section, 'config') || DEV_CONFIG, '');
  const server =
    servers.get(text) ?? startProcess({ command: 'serve', config: { ...JSON.parse(text), health: { enabled: true } } });
  servers.set(text, server);
  return server;
}

/** Addresses of the page, on the ports of this test. */
function here(text: string, url: string): string {
  return text
    .replaceAll('http://localhost:8000', url)
    .replaceAll('ws://localhost:8000', url.replace('http', 'ws'))
    .replaceAll('localhost:3001', `localhost:${backendPort}`)
    .replaceAll('listen(3001)', `listen(${backendPort})`);
}

function textOf(section: Section | undefined, role: string): string {
  return (section?.snippets ?? [])
    .filter((snippet) => snippet.role === role)
    .map(({ text }) => text)
    .join('\n');
}

describe('docs/personal-channels.md', () => {
  it('has a section for each way, with a backend, a client and a publication', () => {
    expect(ways.length).toBe(8);
    for (const way of ways) {
      expect(way.snippets.map(({ role }) => role)).toEqual(expect.arrayContaining(['backend', 'client', 'runnable']));
    }
  });

  it.each(ways)(
    '$title: the program gets what the page publishes',
    async (way) => {
      const { url } = await serverOf(way);
      const blocks = ['backend', 'client'].map((role) => `${textOf(opening, role)}\n${textOf(way, role)}`);
      const program = startProgram(here(blocks.join('\n'), url));
      try {
        await eventually(async () => {
          const { code, output } = await runShell(here(textOf(way, 'runnable'), url));
          expect([code, output]).toEqual([0, expect.stringContaining('{"result":{')]);
          expect(program.output()).toMatch(/^personal:#?17 \{ text: 'Hi' \}$/m);
        }, 20_000);
      } finally {
        await program.stop();
      }
    },
    START_DEADLINE_MS,
  );
});

import { expect } from 'vitest';

import { eventually } from '../harness/eventually.ts';
import { freePort } from '../harness/free-port.ts';
import { startProcess, type ServerProcess } from '../harness/start-process.ts';
import { installPythonPackage } from '../harness/python-library.ts';
import { mergeConfig } from '../harness/standalone.ts';
import { readPage } from './pages.ts';
import {
  runShell,
  startProgram,
  startPythonProgram,
  startRequiringProgram,
  startShell,
  type Run,
  type RunningProgram,
} from './run-snippet.ts';
import { comparable } from './shown-answer.ts';
import type { Snippet } from './snippets.ts';

const PRINT_DEADLINE_MS = 30_000;
const PYTHON_SDK = ['centrifuge-python', '0.7.*'] as const;

/** Blocks of these roles are carried out, from the top of a page to its end:
 * - `server`: a configuration, with which a server runs from here on (before the first: that of `npm start`)
 * - `setup`: goes before all later blocks of its language
 * - `step`: lines of shell that end, with 0; `answer`: exactly what they print
 * - `program`, `stream`: go on in the background until the page ends; `prints`: what the newest of them prints sooner or later
 */
export const ROLES: readonly string[] = ['server', 'setup', 'step', 'answer', 'program', 'stream', 'prints'];

/** A page on its way, with the server and the programs that it has started so far. */
export class PageRun {
  readonly #setup: Map<string, string> = new Map();
  readonly #programs: RunningProgram[] = [];
  #server: ServerProcess | undefined;
  #ports: Readonly<Record<string, number>> = {};
  #last: Run = { code: 0, output: '' };

  async carryOut(snippet: Snippet): Promise<void> {
    const { role, language, text } = snippet;
    if (role === 'server') return this.#serve(JSON.parse(text));
    if (this.#server === undefined) await this.#serve(JSON.parse(readPage('deploy/dev/config.json')));
    if (role === 'setup') this.#setup.set(language, `${this.#setup.get(language) ?? ''}${text}`);
    else if (role === 'step') await this.#step(this.#here(snippet));
    else if (role === 'answer') {
      expect(comparable(language, this.#last.output)).toBe(comparable(language, text));
    } else if (role === 'prints') await this.#expectPrinted(comparable('text', text));
    else this.#programs.push(await this.#start(language, this.#here(snippet)));
  }

  async end(): Promise<void> {
    for (const program of this.#programs) await program.stop();
    await this.#server?.stop();
  }

  async #step(text: string): Promise<void> {
    this.#last = await runShell(text);
    expect([this.#last.code, this.#last.output]).toEqual([0, expect.anything()]);
  }

  async #start(language: string, text: string): Promise<RunningProgram> {
    if (language === 'sh') return startShell(text);
    if (language === 'cjs') return startRequiringProgram(text);
    const shell = this.#ported(this.#setup.get('sh') ?? '');
    if (language === 'py') return startPythonProgram(await installPythonPackage(...PYTHON_SDK), { text, shell });
    return startProgram(text, shell);
  }

  async #expectPrinted(text: string): Promise<void> {
    const program = this.#programs.at(-1);
    await eventually(() => expect(comparable('text', program?.output() ?? '')).toContain(text), PRINT_DEADLINE_MS);
  }

  async #serve(config: Record<string, unknown>): Promise<void> {
    await this.#server?.stop();
    const [grpcPort, uniGrpcPort] = [await freePort(), await freePort()];
    this.#ports = { 10000: grpcPort, 11000: uniGrpcPort, 3001: this.#ports[3001] ?? (await freePort()) };
    const own = { health: { enabled: true }, grpc_api: { port: grpcPort }, uni_grpc: { port: uniGrpcPort } };
    const here = JSON.parse(this.#ported(JSON.stringify(config)));
    this.#server = await startProcess({ command: 'serve', config: mergeConfig(here, own) });
  }

  /** A block with what goes before it, on the ports of this test. */
  #here({ language, text }: Snippet): string {
    return this.#ported((this.#setup.get(language) ?? '') + text);
  }

  #ported(text: string): string {
    const ports = { ...this.#ports, 8000: this.#server?.port ?? 8000 };
    return Object.entries(ports).reduce(
      (result, [shown, port]) =>
        result.replaceAll(`localhost:${shown}`, `localhost:${port}`).replaceAll(`listen(${shown})`, `listen(${port})`),
      text,
    );
  }
}

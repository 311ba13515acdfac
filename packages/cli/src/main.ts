import type { CommandIo } from './command-io.ts';
import { createProgram } from './program.ts';

const stop = new AbortController();
const io: CommandIo = {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  now: () => Date.now(),
  stop: stop.signal,
};
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());

const program = createProgram({
  io,
  loadRunService: async () => (await import('./commands/serve.ts')).runService,
  exit: (code) => {
    process.exitCode = code;
  },
});
await program.parseAsync();

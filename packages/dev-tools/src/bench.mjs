// npm run bench:NAME: runs one benchmark of the repository on the pinned Node. Benchmarks print figures and assert nothing.
import { spawn } from 'node:child_process';
import { join } from 'node:path';

import { ensureSetup } from './setup.mjs';
import { ROOT, carillonNode } from './workspace.mjs';

const [file, ...rest] = process.argv.slice(2);
if (file === undefined) {
  console.error('usage: bench.mjs FILE [ARGUMENT ...]');
  process.exit(2);
}
ensureSetup();
const flags = ['--conditions=development', '--disable-warning=ExperimentalWarning'];
const child = spawn(carillonNode(), [...flags, join(ROOT, file), ...rest], { stdio: 'inherit', cwd: ROOT });
child.on('exit', (code) => {
  process.exitCode = code ?? 1;
});

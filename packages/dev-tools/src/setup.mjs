// npm run setup: installs what the checkout needs, once. Runs on any Node >= 20 with nothing installed.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

import { ROOT, carillonNode } from './workspace.mjs';

/** The package manager of the checkout, as npx takes it. */
export const PNPM = 'pnpm@10.34.0';
const STAMP = join(ROOT, 'node_modules/.carillon-setup');

/** Installs the dependencies unless those of this very lock file are installed. True if there was something to do. */
export function ensureSetup() {
  const wanted = lockHash();
  linkNode();
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8').trim() === wanted) return false;
  const reason = existsSync(join(ROOT, 'node_modules'))
    ? 'what is installed is not that of pnpm-lock.yaml'
    : 'nothing is installed yet';
  // On stderr: what a script prints on stdout may be piped on.
  process.stderr.write(`carillon: ${reason}, installing with ${PNPM} …\n`);
  const args = ['-y', PNPM, 'install', '--frozen-lockfile', '--config.confirmModulesPurge=false'];
  const { status, error } = spawnSync('npx', args, {
    cwd: ROOT,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (error !== undefined || status !== 0) {
    const detail = error === undefined ? `it ended with ${status}` : error.message;
    throw new Error(
      `the installation failed (${detail}); check that the npm registry can be reached and run \`npm run setup\` again`,
    );
  }
  linkNode();
  mkdirSync(join(ROOT, 'node_modules'), { recursive: true });
  writeFileSync(STAMP, `${wanted}\n`);
  return true;
}

/**
 * Commands in node_modules/.bin run on the `node` beside them. pnpm makes that a shell script which waits for its child and
 * keeps signals to itself; a link to the binary lets SIGTERM and SIGHUP reach the server.
 */
function linkNode() {
  const link = join(ROOT, 'node_modules/.bin/node');
  if (process.platform === 'win32' || !existsSync(link) || lstatSync(link).isSymbolicLink()) return;
  const binary = carillonNode();
  if (!binary.startsWith(ROOT)) return;
  rmSync(link);
  symlinkSync(relative(join(ROOT, 'node_modules/.bin'), binary), link);
}

function lockHash() {
  const hash = createHash('sha256').update(`${process.platform}-${process.arch}\n`);
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml']) hash.update(readFileSync(join(ROOT, file)));
  return hash.digest('hex');
}

const isMain = process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url);
if (isMain) {
  try {
    console.log(ensureSetup() ? 'carillon: installed. Next: npm start' : 'carillon: everything is installed already');
  } catch (error) {
    console.error(`carillon: ${error.message}`);
    process.exitCode = 1;
  }
}

import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { manifestPaths } from './version-places.mjs';

const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
const MADE_FOLDERS = new Set(['.git', 'node_modules', 'dist', 'coverage', '.artifacts']);

/**
 * A copy of what git has of a checkout (changed files as they are now), with the installed packages of the checkout:
 * whatever is done there, the checkout stays as it is. Whoever makes it removes it.
 */
export function makeScratchCopy(root) {
  const parent = mkdtempSync(join(tmpdir(), 'carillon-release-'));
  const path = join(parent, 'carillon');
  for (const file of trackedFiles(root)) {
    mkdirSync(dirname(join(path, file)), { recursive: true });
    cpSync(join(root, file), join(path, file), { verbatimSymlinks: true });
  }
  for (const folder of manifestPaths(root).map((manifest) => dirname(manifest))) {
    const installed = join(root, folder, 'node_modules');
    if (existsSync(installed)) symlinkSync(installed, join(path, folder, 'node_modules'), 'dir');
  }
  return { path, remove: () => rmSync(parent, { recursive: true, force: true }) };
}

/** Those that git knows, and new ones that it would take; without git (an unpacked tarball) all that is not made here. */
export function trackedFiles(root) {
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const { status, stdout } = spawnSync('git', args, { cwd: root, encoding: 'utf8', maxBuffer: MAX_OUTPUT_BYTES });
  const files = status === 0 ? stdout.split('\0') : filesBelow(root, '');
  return files.filter((file) => file !== '' && existsSync(join(root, file)));
}

function filesBelow(root, folder) {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isFile()) return [path];
    return entry.isDirectory() && !MADE_FOLDERS.has(entry.name) ? filesBelow(root, path) : [];
  });
}

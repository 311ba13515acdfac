// What a release is made of: packages for a registry, if any are public, the image, and a tarball of the sources.
import { spawnSync } from 'node:child_process';
import { readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { manifestPaths } from './version-places.mjs';

const TIMEOUT_MS = 120_000;
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

/** `{ name, isPrivate, folder }` of each package. */
export function packagesOf(root) {
  return manifestPaths(root).map((path) => {
    const { name, private: isPrivate = false } = JSON.parse(readFileSync(join(root, path), 'utf8'));
    return { name, isPrivate, folder: join(root, dirname(path)) };
  });
}

/** What npm would put into the package: `{ files, bytes }`. Throws where it can't be packed. */
export function packOf(folder) {
  const [{ entryCount, size }] = JSON.parse(run('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], folder));
  return { files: entryCount, bytes: size };
}

/** The tarball with all of a scratch copy under one folder, beside it: `{ file, bytes, remove }`. */
export function tarballOf(root, version) {
  const file = join(dirname(root), `carillon-${version}.tar.gz`);
  const name = `carillon-${version}`;
  const named = join(dirname(root), name);
  renameSync(root, named);
  try {
    run('tar', ['-czf', file, '--exclude=node_modules', name], dirname(root));
  } finally {
    renameSync(named, root);
  }
  return { file, bytes: statSync(file).size, remove: () => rmSync(file, { force: true }) };
}

/** The version that the command itself says. */
export function commandVersion(root, node) {
  const flags = ['--conditions=development', '--disable-warning=ExperimentalWarning'];
  const line = run(node, [...flags, join(root, 'packages/cli/bin/carillon.js'), '--version'], root);
  return /^Carillon v(\S+)/.exec(line)?.[1];
}

function run(command, args, cwd) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    timeout: TIMEOUT_MS,
    maxBuffer: MAX_OUTPUT_BYTES,
  });
  if (error !== undefined) throw new Error(`${command} did not run: ${error.message}`);
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}:\n${stderr}`);
  return stdout;
}

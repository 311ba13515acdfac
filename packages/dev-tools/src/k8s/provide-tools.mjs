// The tools that check manifests: from the PATH, else fetched once into the cache of the checkout.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { CACHE_DIR } from '../workspace.mjs';

/** The newest that Go 1.24 and later can build. */
const KUSTOMIZE = 'sigs.k8s.io/kustomize/kustomize/v5@v5.7.1';
const VALIDATE = 'kubernetes-validate==1.37.0';
/** Less than the steps of .ci/run have: what takes longer is missing, and that step is skipped. */
const FETCH_TIMEOUT_MS = 240_000;
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

/** A tool that this machine does not have and can't get: what needs it is skipped. */
export class MissingTool extends Error {}

/** Path of kustomize. */
export function provideKustomize() {
  return provideGoProgram('kustomize', KUSTOMIZE);
}

/** Path of a program of a Go module: from the PATH, built before into `folder`, or built now. Throws a MissingTool. */
export function provideGoProgram(name, module, { folder = join(CACHE_DIR, 'go-bin'), env = process.env } = {}) {
  if (spawnSync(name, ['version'], { env }).status === 0) return name;
  const path = join(folder, name);
  if (existsSync(path)) return path;
  if (spawnSync('go', ['version'], { env }).status !== 0) {
    throw new MissingTool(`there is neither ${name} nor Go to build it: install ${name}, or Go 1.24 or later`);
  }
  mkdirSync(folder, { recursive: true });
  console.log(`carillon: building ${module}, once`);
  const options = { env: { ...env, GOBIN: folder }, cwd: folder, timeout: FETCH_TIMEOUT_MS };
  return fetched(name, () => {
    run('go', ['install', module], options);
    return path;
  });
}

/** What can't be fetched here (no network, no compiler) is missing. */
function fetched(name, work) {
  try {
    return work();
  } catch (error) {
    throw new MissingTool(`${name} can't be fetched: ${error.message}`);
  }
}

/** A function that runs Python with the validator and its YAML parser in reach. Throws a MissingTool. */
export function providePython() {
  const folder = join(CACHE_DIR, 'kubernetes-validate');
  if (!existsSync(join(folder, 'kubernetes_validate'))) {
    console.log(`carillon: installing ${VALIDATE}, once`);
    const args = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--target', folder, VALIDATE];
    fetched('kubernetes-validate', () => run('python3', args, { timeout: FETCH_TIMEOUT_MS }));
  }
  const env = { ...process.env, PYTHONPATH: folder };
  return (args, input) => spawnSync('python3', args, { env, input, encoding: 'utf8', maxBuffer: MAX_OUTPUT_BYTES });
}

/** The standard output of a program that must end well. */
export function run(command, args, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    maxBuffer: MAX_OUTPUT_BYTES,
    ...options,
  });
  if (error !== undefined) throw new Error(`${command} did not run: ${error.message}`);
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}:\n${stderr}`);
  return stdout;
}

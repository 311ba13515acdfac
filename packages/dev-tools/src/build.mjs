// npm run build: JavaScript and type declarations of all packages and services in their dist folders, for images.
import { spawnSync } from 'node:child_process';

import { ensureSetup } from './setup.mjs';
import { ROOT, carillonNode, commandScript } from './workspace.mjs';

ensureSetup();
const args = [commandScript('typescript', 'tsc'), '-b', 'packages/dev-tools', ...process.argv.slice(2)];
const { status } = spawnSync(carillonNode(), args, { cwd: ROOT, stdio: 'inherit' });
process.exitCode = status ?? 1;
if (status === 0) console.log('carillon: built into the dist folder of each package');

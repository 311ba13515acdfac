// npm run gen: writes again what is generated and committed: the code of the Protobuf messages, the reference documents.
// A package takes part by having a script named `gen`.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

import { ensureSetup } from './setup.mjs';
import { ROOT, carillonNode } from './workspace.mjs';

ensureSetup();
for (const folder of workspaceFolders()) {
  const { name, scripts = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  if (scripts.gen === undefined) continue;
  console.log(`carillon: ${name}: ${scripts.gen}`);
  const { status } = spawnSync(scripts.gen, {
    cwd: folder,
    stdio: 'inherit',
    shell: true,
    env: scriptEnvironment(folder),
  });
  if (status !== 0) process.exit(status ?? 1);
}

function workspaceFolders() {
  const groups = ['packages', 'services'].flatMap((group) =>
    readdirSync(join(ROOT, group)).map((name) => join(ROOT, group, name)),
  );
  return [...groups, join(ROOT, 'test')].filter((folder) => existsSync(join(folder, 'package.json')));
}

function scriptEnvironment(folder) {
  const path = [join(folder, 'node_modules/.bin'), join(ROOT, 'node_modules/.bin'), dirname(carillonNode())];
  return { ...process.env, PATH: [...path, process.env.PATH].join(delimiter) };
}

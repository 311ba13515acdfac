// npm test: every test of the checkout, with a real NATS. Arguments go to vitest: npm test -- --project unit
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { provideChromium } from './browser/provide-chromium.mjs';
import { provideNats } from './nats/nats-server.mjs';
import { ensureSetup } from './setup.mjs';
import { countResults } from './test-results.mjs';
import { CACHE_DIR, ROOT, carillonNode, commandScript } from './workspace.mjs';

/** Need more than Node and NATS: a Docker engine with the image built, a browser, minutes. Run by name: npm run test:browser. */
const BY_NAME_ONLY = ['containers', 'browser', 'soak'];

const RESULTS = join(CACHE_DIR, 'test-results.json');

async function main() {
  ensureSetup();
  const say = (line) => console.log(`carillon: ${line}`);
  const browser = process.argv.includes('browser') ? { CHROMIUM: provideChromium(say) } : {};
  const nats = await provideNats({ say });
  console.log(`carillon: NATS for the tests: ${nats.used}`);
  mkdirSync(CACHE_DIR, { recursive: true });
  rmSync(RESULTS, { force: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${RESULTS}`];
  const where = ['--config', join(ROOT, 'test/vitest.config.ts'), '--root', ROOT];
  const passedOn = process.argv.slice(2);
  const isChosen = passedOn.some((argument) => argument.startsWith('--project'));
  const projects = isChosen ? [] : BY_NAME_ONLY.map((name) => `--project=!${name}`);
  const args = [commandScript('vitest'), 'run', ...where, ...reporters, ...projects, ...passedOn];
  const env = { ...process.env, ...nats.env, ...browser };
  const { status } = spawnSync(carillonNode(), args, { cwd: ROOT, stdio: 'inherit', env });
  const { passed, failed } = countResults(existsSync(RESULTS) ? readFileSync(RESULTS, 'utf8') : '', status);
  process.exitCode = status === 0 && failed === 0 ? 0 : status || 1;
  console.log(`${passed} passed, ${failed} failed`);
}

try {
  await main();
} catch (error) {
  console.error(`carillon: ${error.message}`);
  console.log('0 passed, 1 failed');
  process.exitCode = 1;
}

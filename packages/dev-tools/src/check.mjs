// npm run check: types, lint, format, unused code, limits and import directions, in seconds. `--fix` repairs what can be.
import { brokenImports } from './check/imports.mjs';
import { brokenLimits } from './check/limits.mjs';
import { report, runCommand, runRule } from './check/run-step.mjs';
import { sourceFiles } from './check/source-files.mjs';
import { ensureSetup } from './setup.mjs';

const IS_PRETTY = process.stdout.isTTY ? 'true' : 'false';

async function checkTypes() {
  const packages = await runCommand('typescript', 'tsc', ['-b', 'packages/dev-tools', '--pretty', IS_PRETTY]);
  // The tests see the packages as they were just built.
  const tests = await runCommand('typescript', 'tsc', ['-p', 'test', '--pretty', IS_PRETTY]);
  const output = [packages.output, tests.output].filter((text) => text !== '').join('\n');
  return { ok: packages.ok && tests.ok, output };
}

async function fix() {
  await report('fix lint', () => runCommand('oxlint', 'oxlint', ['--type-aware', '--fix']));
  await report('format', () => runCommand('oxfmt', 'oxfmt', ['.']));
}

async function check() {
  const files = sourceFiles();
  const steps = {
    imports: () => runRule(brokenImports, files),
    limits: () => runRule(brokenLimits, files),
    format: () => runCommand('oxfmt', 'oxfmt', ['--check', '.']),
    lint: () => runCommand('oxlint', 'oxlint', ['--type-aware']),
    unused: () => runCommand('knip', 'knip', ['--no-progress', '--no-config-hints']),
    types: checkTypes,
  };
  const results = await Promise.all(Object.entries(steps).map(([name, step]) => report(name, step)));
  return results.every(Boolean);
}

try {
  ensureSetup();
  if (process.argv.includes('--fix')) await fix();
  process.exitCode = (await check()) ? 0 : 1;
} catch (error) {
  console.error(`carillon: ${error.message}`);
  process.exitCode = 1;
}

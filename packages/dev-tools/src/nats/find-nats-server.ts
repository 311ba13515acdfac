import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const CACHED = new URL('../../../../node_modules/.cache/carillon/nats-server', import.meta.url).pathname;

/** The nats-server binary for tests: as `npm test` found it, else on PATH, else the one `npm test` cached earlier. */
export function findNatsServer(env: NodeJS.ProcessEnv = process.env, cached: string = CACHED): string {
  const given = env['CARILLON_TEST_NATS_SERVER'];
  if (given !== undefined && given !== '') return given;
  const onPath = (env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'nats-server'));
  const found = [...onPath, cached].find(isExecutable);
  if (found !== undefined) return found;
  throw new Error(
    'no nats-server: run the tests with `npm test`, which provides one, put nats-server 2.12 or later on PATH, or set CARILLON_TEST_NATS_SERVER to one',
  );
}

function isExecutable(path: string): boolean {
  if (!existsSync(path)) return false;
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    // Not ours to run, so not found.
    return false;
  }
}

import { existsSync, mkdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

import { CACHE_DIR } from '../workspace.mjs';
import { fromDebian, fromDocker, fromGo } from './nats-sources.mjs';
import { LEAST_NATS_VERSION, binaryProblem, serverProblem } from './nats-version.mjs';

const CACHED = join(CACHE_DIR, 'nats-server');

const SOURCES = [
  { name: 'go install', doing: 'compiling nats-server with Go', get: fromGo },
  { name: 'the Docker engine', doing: 'taking nats-server from its image', get: fromDocker },
  { name: 'Debian unstable', doing: 'taking nats-server from Debian unstable', get: fromDebian },
];

/**
 * Provides NATS for tests: the server of TEST_NATS_URL, else a binary that tests start servers of their own with.
 * Gives the environment for the tests and a line that says what is used. Throws with what to do if there is none.
 */
export async function provideNats({ env = process.env, say = () => undefined } = {}) {
  const url = env.TEST_NATS_URL;
  if (url !== undefined && url !== '') {
    const problem = await serverProblem(url);
    if (problem !== undefined) throw new Error(`the NATS server of TEST_NATS_URL cannot be used: ${problem}`);
    // Tests that kill or restart a server start one of their own.
    const { path } = findOrFetch(say);
    return {
      env: { TEST_NATS_URL: url, CARILLON_TEST_NATS_SERVER: path },
      used: `the server of TEST_NATS_URL, and ${path}`,
    };
  }
  const { path, source } = findOrFetch(say);
  return { env: { CARILLON_TEST_NATS_SERVER: path }, used: `${path} (${source})` };
}

function findOrFetch(say) {
  const reasons = [];
  const places = [
    ['on PATH', findOnPath('nats-server')],
    ['cached', CACHED],
  ];
  for (const [source, path] of places) {
    const problem = path === undefined ? 'not there' : binaryProblem(path);
    if (problem === undefined) return { path, source };
    reasons.push(`${source}: ${problem}`);
  }
  mkdirSync(CACHE_DIR, { recursive: true });
  for (const { name, doing, get } of SOURCES) {
    try {
      say(`${doing} …`);
      get(CACHED);
      const problem = binaryProblem(CACHED);
      if (problem === undefined) return { path: CACHED, source: `from ${name}` };
      reasons.push(`${name}: ${problem}`);
    } catch (error) {
      reasons.push(`${name}: ${error.message}`);
    }
  }
  throw new Error(
    `no NATS server for the tests. Put nats-server ${LEAST_NATS_VERSION} or later on PATH, install Go, start a Docker engine, ` +
      `or set TEST_NATS_URL to a server with JetStream.\n${reasons.map((reason) => `  ${reason}`).join('\n')}`,
  );
}

function findOnPath(command) {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, command)).find((path) => existsSync(path));
}

import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const INSTALL_TIMEOUT_MS = 300_000;

/** A Chromium: the one that `CHROMIUM` names, one on the PATH, or Debian's package, which root gets installed. */
export function provideChromium(say) {
  const given = process.env.CHROMIUM;
  if (given !== undefined && given !== '') return given;
  const found = onPath(NAMES) ?? (installed(say) ? onPath(NAMES) : undefined);
  if (found !== undefined) return found;
  throw new Error('no Chromium: install one (on Debian: apt-get install chromium) or name its program in CHROMIUM');
}

function onPath(names) {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function installed(say) {
  if (process.getuid?.() !== 0 || onPath(['apt-get']) === undefined) return false;
  say('installing Chromium by apt-get');
  const apt = (...args) => {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    return spawnSync('apt-get', ['-q', ...args], { stdio: 'inherit', env, timeout: INSTALL_TIMEOUT_MS }).status === 0;
  };
  return apt('update') && apt('install', '-y', '--no-install-recommends', 'chromium');
}

// The ways to get a nats-server binary. Each takes the path where it must put the binary, and throws if it cannot.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

const GO_MODULE = 'github.com/nats-io/nats-server/v2@v2.15.2';
const IMAGE = 'nats:2.15-alpine';
const DEBIAN_KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const PROBE_TIMEOUT_MS = 20_000;
const DOWNLOAD_TIMEOUT_MS = 600_000;

/** Runs a command to its end; gives its output, throws with the last line that it complained with. */
function run(command, args, { timeout = DOWNLOAD_TIMEOUT_MS, env = {}, cwd } = {}) {
  const options = { encoding: 'utf8', timeout, cwd, env: { ...process.env, ...env }, maxBuffer: 1 << 26 };
  const { status, stdout, stderr, error } = spawnSync(command, args, options);
  if (error?.code === 'ENOENT') throw new Error(`there is no ${command}`);
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${command} ${args[0]} failed: ${(stderr || stdout).trim().split('\n').at(-1)}`);
  return stdout.trim();
}

/** Compiles it with Go. */
export function fromGo(target) {
  run('go', ['version'], { timeout: PROBE_TIMEOUT_MS });
  const bin = mkdtempSync(join(dirname(target), 'go-'));
  try {
    run('go', ['install', GO_MODULE], { env: { GOBIN: bin, GOFLAGS: '-trimpath', CGO_ENABLED: '0' } });
    renameSync(join(bin, 'nats-server'), target);
  } finally {
    rmSync(bin, { recursive: true, force: true });
  }
}

/** Copies it out of the official image: the binary is static and runs on any Linux. */
export function fromDocker(target) {
  if (process.platform !== 'linux') throw new Error('the binary in the image runs on Linux only');
  run('docker', ['info'], { timeout: PROBE_TIMEOUT_MS });
  const container = run('docker', ['create', IMAGE]).split('\n').at(-1);
  const copy = `${target}.new`;
  try {
    const paths = ['/usr/local/bin/nats-server', '/nats-server'];
    const isCopied = paths.some((path) => spawnSync('docker', ['cp', '-L', `${container}:${path}`, copy]).status === 0);
    if (!isCopied) throw new Error(`${IMAGE} holds no nats-server where it used to be`);
    chmodSync(copy, 0o755);
    renameSync(copy, target);
  } finally {
    run('docker', ['rm', container]);
  }
}

/** Unpacks the package of Debian's unstable suite, from the mirror of this machine, beside the system's own packages. */
export function fromDebian(target) {
  const state = join(dirname(target), 'debian');
  for (const folder of ['lists/partial', 'cache/archives/partial']) mkdirSync(join(state, folder), { recursive: true });
  const sources = join(state, 'sources.list');
  writeFileSync(sources, `deb [signed-by=${DEBIAN_KEYRING}] ${debianMirror()} sid main\n`);
  const settings = {
    'Dir::Etc::sourcelist': sources,
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::State::Lists': join(state, 'lists'),
    'Dir::State::status': '/dev/null',
    'Dir::Cache': join(state, 'cache'),
    'APT::Sandbox::User': 'root',
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  const work = mkdtempSync(join(state, 'work-'));
  try {
    run('apt-get', [...options, 'update', '-qq']);
    run('apt-get', [...options, 'download', '-qq', 'nats-server'], { cwd: work });
    const archive = readdirSync(work).find((name) => name.endsWith('.deb'));
    if (archive === undefined) throw new Error('apt-get downloaded no package');
    run('dpkg-deb', ['-x', join(work, archive), join(work, 'root')]);
    const binary = ['usr/sbin', 'usr/bin']
      .map((folder) => join(work, 'root', folder, 'nats-server'))
      .find((path) => existsSync(path));
    if (binary === undefined) throw new Error('the package holds no nats-server');
    copyFileSync(binary, `${target}.new`);
    renameSync(`${target}.new`, target);
  } finally {
    // Package lists are large, and stale the next time.
    rmSync(state, { recursive: true, force: true });
  }
}

function debianMirror() {
  const folder = '/etc/apt/sources.list.d';
  const listed = existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
  for (const file of ['/etc/apt/sources.list', ...listed].filter((path) => existsSync(path))) {
    const text = readFileSync(file, 'utf8').replaceAll(/^\s*#.*$/gm, '');
    const mirror = /https?:\/\/\S+\/debian\/?(?=\s|$)/.exec(text)?.[0];
    if (mirror !== undefined) return mirror;
  }
  throw new Error('no Debian mirror is configured in /etc/apt');
}

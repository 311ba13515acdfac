import { spawnSync } from 'node:child_process';
import { connect } from 'node:net';

/** Per-message TTL and what else the streams need. */
export const LEAST_NATS_VERSION = '2.12.0';

const PROBE_TIMEOUT_MS = 5_000;

/** Whether a version such as `2.15.2` or `v2.12.0-RC.1` is recent enough. */
export function isRecentEnough(version) {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  const [leastMajor, leastMinor] = LEAST_NATS_VERSION.split('.').map(Number);
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
}

/** Undefined if the binary runs and is recent enough, else why not. */
export function binaryProblem(path) {
  const { stdout, error } = spawnSync(path, ['--version'], { encoding: 'utf8', timeout: PROBE_TIMEOUT_MS });
  if (error !== undefined) return error.code === 'ENOENT' ? 'not there' : error.message;
  const version = /v?(\d+\.\d+\.\d+\S*)/.exec(stdout ?? '')?.[1];
  if (version === undefined) return 'it does not tell its version';
  return isRecentEnough(version) ? undefined : `its version is ${version}, ${LEAST_NATS_VERSION} or later is needed`;
}

/** Undefined if a server answers at the address, is recent enough and has JetStream, else why not. */
export async function serverProblem(url) {
  let info;
  try {
    info = await readInfo(new URL(url.split(',')[0]));
  } catch (error) {
    return error.message;
  }
  if (!isRecentEnough(info.version ?? '0'))
    return `its version is ${info.version}, ${LEAST_NATS_VERSION} or later is needed`;
  return info.jetstream === true ? undefined : 'its JetStream is off: start it with -js';
}

function readInfo({ hostname, port }) {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port || 4222), timeout: PROBE_TIMEOUT_MS });
    const fail = (error) => {
      socket.destroy();
      reject(error);
    };
    socket.on('error', fail);
    socket.on('timeout', () => fail(new Error('no answer in time')));
    let text = '';
    socket.on('data', (data) => {
      text += data;
      const end = text.indexOf('\r\n');
      if (end < 0) return;
      socket.destroy();
      if (text.startsWith('INFO ')) resolve(JSON.parse(text.slice('INFO '.length, end)));
      else reject(new Error('what answers is not a NATS server'));
    });
  });
}

// What holds of the image and of every container of the cluster, asked of the engine and of the kernel.
import { docker } from './project.mjs';

const IMAGE = 'carillon:local';
const MAX_IMAGE_BYTES = 200_000_000;
/** Of these, what is Carillon and its dependencies. The rest is Node and the libraries that it loads. */
const MAX_APP_BYTES = 60_000_000;
const FIRST_PROCESS_ID = 1;

/** Throws if the image has grown beyond its bounds; gives its size for people. */
export function expectSmallImage() {
  const total = Number(docker(['image', 'inspect', '-f', '{{.Size}}', IMAGE]));
  const history = docker(['history', '--no-trunc', '--human=false', '--format', '{{.Size}} {{.CreatedBy}}', IMAGE]);
  const sizes = history.split('\n').filter((line) => / \/app/.test(line));
  const app = sizes.reduce((sum, line) => sum + Number.parseInt(line, 10), 0);
  const text = `${megabytes(total)} MB, of which Carillon ${megabytes(app)} MB`;
  if (total > MAX_IMAGE_BYTES || app > MAX_APP_BYTES || app === 0) throw new Error(`the image has ${text}`);
  return text;
}

const megabytes = (bytes) => Math.round(bytes / 1e6);

/** Throws if a container could do more than it needs: be root, gain rights, write to its image. */
export function expectHardened(containers) {
  if (containers.length === 0) throw new Error('there are no containers');
  for (const id of containers) {
    const [{ Name: name, Config: config, HostConfig: host }] = JSON.parse(docker(['inspect', id]));
    expectEqual(`user of ${name}`, config.User, '1000:1000');
    expectEqual(`read-only root of ${name}`, host.ReadonlyRootfs, true);
    expectEqual(`dropped capabilities of ${name}`, host.CapDrop.join(), 'ALL');
    expectEqual(`security options of ${name}`, host.SecurityOpt.join(), 'no-new-privileges:true');
    const { error, ...rights } = JSON.parse(docker(['exec', id, 'node', '-e', ASK_KERNEL]));
    expectEqual(`what the kernel lets ${name}`, JSON.stringify(rights), ALLOWED);
    expectEqual(`writing in ${name}`, error, 'EROFS');
  }
}

/** Of process 1, not of the one that asks. */
const ASK_KERNEL = `
  const fs = require('node:fs');
  const status = fs.readFileSync('/proc/${FIRST_PROCESS_ID}/status', 'utf8');
  const of = (name) => status.match(new RegExp('^' + name + ':\\\\s+(\\\\S+)', 'm'))[1];
  let error = 'none';
  try { fs.writeFileSync('/tmp/x', ''); } catch (e) { error = e.code; }
  console.log(JSON.stringify({ uid: of('Uid'), capabilities: of('CapEff'), noNewPrivileges: of('NoNewPrivs'), error }));
`;
const ALLOWED = JSON.stringify({ uid: '1000', capabilities: '0000000000000000', noNewPrivileges: '1' });

function expectEqual(what, actual, expected) {
  if (actual !== expected) throw new Error(`${what}: ${actual}, not ${expected}`);
}

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { ROOT } from '../workspace.mjs';
import { docker } from './project.mjs';

const STAND_IN = join(ROOT, 'deploy/compose/stand-in');

/** Services of docker-compose.yml with a public image that a machine without a container registry can build itself. */
const STAND_INS = { 'front-door': 'nginx', prometheus: 'prometheus', 'nats-metrics': 'nats-exporter' };

/** Makes the image of a service available: there, pulled, or built to stand in under the same name. False if none of these. */
export function provideImage(service) {
  const image = imageOf(service);
  const isThere = spawnSync('docker', ['image', 'inspect', image], { stdio: 'ignore' }).status === 0;
  if (isThere || spawnSync('docker', ['pull', '-q', image], { stdio: 'ignore' }).status === 0) return true;
  const standIn = STAND_INS[service];
  if (standIn === undefined) return false;
  docker(['build', '-q', '-t', image, '-f', join(STAND_IN, `${standIn}.Dockerfile`), STAND_IN]);
  return true;
}

/** The image that docker-compose.yml names for a service. */
export function imageOf(service) {
  const text = readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8');
  const image = new RegExp(`^  ${service}:\\n(?:    .*\\n)*?    image: (\\S+)`, 'm').exec(text)?.[1];
  if (image === undefined) throw new Error(`docker-compose.yml has no image of ${service}`);
  return image;
}

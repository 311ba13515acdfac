import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { ROOT } from '../harness/checkout.ts';
import { runCommand } from '../harness/start-process.ts';

const read = (path: string): string => readFileSync(join(ROOT, 'deploy/k8s', path), 'utf8');
const configText = read('base/config/carillon.json');

/** As the Deployments set them from the Secret. */
const SECRETS = {
  CARILLON_CLIENT_TOKEN_HMAC_SECRET_KEY: 'from-the-secret',
  CARILLON_HTTP_API_KEY: 'from-the-secret',
  CARILLON_NATS_TOKEN: 'from-the-secret',
};

describe('deploy/k8s', () => {
  it('has a configuration without unknown options', async () => {
    const { code, output } = await runCommand(['checkconfig', '--strict'], { config: configText, env: SECRETS });
    expect([code, output]).toEqual([0, expect.not.stringMatching(/unknown|warn/i)]);
  });

  it('names the same ports in the configuration and in the manifests', () => {
    const config = JSON.parse(configText) as Record<string, Record<string, number>>;
    const clientPort = config['http_server']?.['port'];
    const opsPort = config['http_server']?.['internal_port'];
    for (const service of ['gateway', 'api'])
      expect(read(`base/${service}.yaml`)).toContain(`{ name: http, containerPort: ${clientPort} }`);
    for (const service of ['gateway', 'api', 'auth-policy'])
      expect(read(`base/${service}.yaml`)).toContain(`{ name: ops, containerPort: ${opsPort} }`);
    expect(read('base/auth-policy.yaml')).toContain(
      `{ name: grpc, containerPort: ${config['auth_policy']?.['port']} }`,
    );
  });

  it.each(Object.keys(SECRETS))('gets %s from the Secret', (variable) => {
    const manifests = ['gateway', 'api', 'auth-policy'].map((service) => read(`base/${service}.yaml`));
    const used = manifests.filter((text) => text.includes(`name: ${variable}\n`));
    expect(used.length).toBeGreaterThan(0);
    expect(used.every((text) => text.includes('name: carillon-secrets'))).toBe(true);
  });

  it('has the same NATS settings in production as in the base, but for routes and sizes', () => {
    const settings = (text: string): string[] =>
      text
        .split('\n')
        .filter((line) => /^\s*\w+: /.test(line) && !/max_\w+_store|name:|port: 6222/.test(line))
        .map((line) => line.trim());
    expect(settings(read('overlays/production/nats.conf'))).toEqual(
      expect.arrayContaining(settings(read('base/config/nats.conf'))),
    );
  });
});

import { describe, expect, it } from 'vitest';

import { PROMISES } from './promises.mjs';

const LIVENESS = 'readiness asks /health, liveness only whether the port answers';
const DRAIN = 'a pod has time to drain before it is killed';
const LINKS = 'no variable of a service link can pass for an option';
const NATS = 'NATS syncs always and keeps its data on a volume';

const ops = { path: '/health', port: 'ops' };

function deployment(name: string, livenessProbe: object, pod: object): object {
  const container = {
    name,
    readinessProbe: { httpGet: ops },
    startupProbe: { tcpSocket: { port: 'ops' } },
    livenessProbe,
    lifecycle: { preStop: { sleep: { seconds: 5 } } },
  };
  return { kind: 'Deployment', metadata: { name }, spec: { template: { spec: { ...pod, containers: [container] } } } };
}

function all(livenessProbe: object, pod: object): object[] {
  return ['gateway', 'api', 'auth-policy'].map((name) => deployment(name, livenessProbe, pod));
}

const good = all({ tcpSocket: { port: 'ops' } }, { terminationGracePeriodSeconds: 45, enableServiceLinks: false });
const bad = all({ httpGet: ops }, { terminationGracePeriodSeconds: 30 });

describe('what the manifests promise', () => {
  it.each([LIVENESS, DRAIN, LINKS] as const)('holds and is missed where it should be: %s', (name) => {
    expect(PROMISES[name](good)).toEqual([]);
    expect(PROMISES[name](bad).length).toBeGreaterThanOrEqual(3);
  });

  it('is missed by a NATS that syncs every two minutes', () => {
    const config = { kind: 'ConfigMap', metadata: { name: 'nats-config-1' }, data: { 'nats.conf': 'port: 4222\n' } };
    expect(PROMISES[NATS]([config])).toContain('sync_interval is not always');
  });
});

import { describe, expect, it } from 'vitest';

import { mayConnect, outside, podIn, podNamed } from './network-flows.mjs';
import { PRODUCTION_WIRING_PROMISES, WIRING_PROMISES } from './wiring-promises.mjs';

const PORTS: Readonly<Record<string, readonly [string, number][]>> = {
  gateway: [
    ['http', 8000],
    ['ops', 9000],
  ],
  api: [
    ['http', 8000],
    ['ops', 9000],
  ],
  'auth-policy': [
    ['grpc', 10100],
    ['ops', 9000],
  ],
  nats: [
    ['client', 4222],
    ['cluster', 6222],
    ['monitor', 8222],
    ['ops', 7777],
  ],
};

function workload(name: string, image = 'carillon:1.2.3', map = 'carillon-config-abcdef1234'): object {
  const container = {
    name,
    image: name === 'nats' ? 'nats:2.15' : image,
    args: [name, '--config', '/etc/carillon/carillon.json'],
    ports: (PORTS[name] ?? []).map(([port, containerPort]) => ({ name: port, containerPort })),
    volumeMounts: [{ name: 'config', mountPath: '/etc/carillon', readOnly: true }],
  };
  const spec = { containers: [container], volumes: [{ name: 'config', configMap: { name: map } }] };
  return {
    kind: name === 'nats' ? 'StatefulSet' : 'Deployment',
    metadata: { name, namespace: 'carillon' },
    spec: { template: { metadata: { labels: { app: name } }, spec } },
  };
}

interface Rules {
  readonly ingress?: readonly object[];
  readonly egress?: readonly object[];
}

function policy(name: string, podSelector: object, rules: Rules): object {
  const policyTypes = ['Ingress', 'Egress'];
  return {
    kind: 'NetworkPolicy',
    metadata: { name, namespace: 'carillon' },
    spec: { podSelector, policyTypes, ...rules },
  };
}

const of = (app: string): object => ({ matchLabels: { app } });
const pods = (app: string): object => ({ podSelector: of(app) });
const namespace = (name: string): object => ({
  namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } },
});
const ports = (...names: (string | number)[]): object[] => names.map((port) => ({ port }));

/** The network of the manifests, in short. */
function network(changes: Readonly<Record<string, Rules>> = {}): object[] {
  const rules: Record<string, Rules> = {
    gateway: {
      ingress: [{ from: [namespace('ingress-nginx')], ports: ports('http') }],
      egress: [
        { to: [pods('nats')], ports: ports(4222) },
        { to: [pods('auth-policy')], ports: ports(10100) },
      ],
    },
    api: {
      ingress: [
        {
          from: [
            namespace('ingress-nginx'),
            { namespaceSelector: { matchLabels: { 'carillon.dev/publishes': 'true' } } },
          ],
          ports: ports('http'),
        },
      ],
      egress: [{ to: [pods('nats')], ports: ports(4222) }],
    },
    'auth-policy': {
      ingress: [{ from: [pods('gateway')], ports: ports('grpc') }],
      egress: [
        {
          to: [
            {
              namespaceSelector: {
                matchExpressions: [
                  { key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['carillon', 'kube-system'] },
                ],
              },
            },
          ],
        },
        { to: [{ ipBlock: { cidr: '0.0.0.0/0', except: ['169.254.0.0/16'] } }], ports: ports(443) },
      ],
    },
    nats: {
      ingress: [
        {
          from: [{ podSelector: { matchExpressions: [{ key: 'app', operator: 'In', values: ['gateway', 'api'] }] } }],
          ports: ports('client'),
        },
        { from: [pods('nats')], ports: ports('cluster') },
      ],
      egress: [{ to: [pods('nats')], ports: ports(6222) }],
    },
    ...changes,
  };
  return [
    ...Object.keys(PORTS).map((name) => workload(name)),
    policy('default-deny', {}, {}),
    policy('names', {}, { egress: [{ ports: [{ port: 53, protocol: 'UDP' }, { port: 53 }] }] }),
    policy('scrapes', {}, { ingress: [{ from: [namespace('monitoring')], ports: ports('ops') }] }),
    ...Object.entries(rules).map(([name, own]) => policy(name, of(name), own)),
  ];
}

const NEEDED = 'every connection that is needed is let through';
const CLOSED = 'no other connection is';

describe('the network of the manifests', () => {
  it('lets through what is needed and nothing else', () => {
    expect(WIRING_PROMISES[NEEDED](network())).toEqual([]);
    expect(WIRING_PROMISES[CLOSED](network())).toEqual([]);
  });

  it('is found closed where a policy forgets NATS, names or Prometheus', () => {
    const cut = network({ gateway: {} });
    expect(WIRING_PROMISES[NEEDED](cut)).toContain('closed: gateway → nats:4222 (TCP)');
    expect(WIRING_PROMISES[NEEDED](cut)).toContain('closed: ingress-nginx → gateway:8000 (TCP)');
    const without = (name: string): object[] =>
      network().filter((one) => (one as { metadata: { name: string } }).metadata.name !== name);
    expect(WIRING_PROMISES[NEEDED](without('names'))).toContain('closed: api → kube-system:53 (UDP)');
    expect(WIRING_PROMISES[NEEDED](without('scrapes'))).toContain('closed: monitoring → nats:7777 (TCP)');
  });

  it('is found open where a policy names too much', () => {
    const open = network({ nats: { ingress: [{}], egress: [{}] }, 'auth-policy': { ingress: [], egress: [{}] } });
    const found = WIRING_PROMISES[CLOSED](open);
    expect(found).toContain('open: auth-policy → nats:4222 (TCP)');
    expect(found).toContain('open: shop → nats:8222 (TCP)');
    expect(found).toContain('open: auth-policy → 169.254.169.254:443 (TCP)');
    const bare = network().filter((one) => (one as { kind: string }).kind !== 'NetworkPolicy');
    expect(WIRING_PROMISES[CLOSED](bare).length).toBeGreaterThan(20);
  });

  it('needs both ends, and knows blocks of addresses', () => {
    const objects = network();
    const [gateway, nats, asker] = ['gateway', 'nats', 'auth-policy'].map((name) => podNamed(objects, name));
    if (gateway === undefined || nats === undefined || asker === undefined) throw new Error('no pods');
    expect(mayConnect(network({ gateway: { egress: [] } }), { from: gateway, to: nats, port: 4222 })).toBe(false);
    expect(mayConnect(objects, { from: asker, to: outside('169.254.0.1'), port: 443 })).toBe(false);
    expect(mayConnect(objects, { from: asker, to: outside('169.255.0.1'), port: 443 })).toBe(true);
    expect(mayConnect(objects, { from: asker, to: podIn('kube-system'), port: 443 })).toBe(false);
  });
});

describe('what hangs together in the manifests', () => {
  it('finds an object outside of the namespace', () => {
    const promise = WIRING_PROMISES['everything is in one namespace'];
    const own = { kind: 'Namespace', metadata: { name: 'carillon' } };
    expect(promise([own, ...network()])).toEqual([]);
    expect(promise([own, { kind: 'Service', metadata: { name: 'stray' } }])).toEqual(['Service stray is elsewhere']);
  });

  it('finds a configuration that no rollout would bring', () => {
    const promise = WIRING_PROMISES['each service has the one configuration, of which a change rolls its pods'];
    const services = ['gateway', 'api', 'auth-policy'];
    const map = (name: string): object => ({ kind: 'ConfigMap', metadata: { name } });
    expect(promise([map('carillon-config-abcdef1234'), ...services.map((name) => workload(name))])).toEqual([]);
    const fixed = services.map((name) => workload(name, undefined, 'carillon-config'));
    expect(promise([map('carillon-config'), ...fixed])).toHaveLength(3);
    expect(promise(services.map((name) => workload(name)))).toHaveLength(3);
  });

  it('finds an image of another release', () => {
    const promise = PRODUCTION_WIRING_PROMISES['every image of ours is that of the release'];
    const services = ['gateway', 'api', 'auth-policy'];
    const run = (image: string): string[] =>
      promise(
        services.map((name) => workload(name, image)),
        { version: '1.2.3' },
      );
    expect(run('registry.example.com:5000/carillon:1.2.3')).toEqual([]);
    expect(run('carillon:1.2.2')).toHaveLength(3);
    expect(run('other:1.2.3')).toEqual(['0 containers run our image']);
  });

  it('finds a service that can not grow, or is alone', () => {
    const promise = PRODUCTION_WIRING_PROMISES['every service has room to lose an instance, and a bound'];
    const scaler = (name: string, minReplicas: number, maxReplicas: number): object => ({
      kind: 'HorizontalPodAutoscaler',
      spec: { scaleTargetRef: { name }, minReplicas, maxReplicas, metrics: [{ resource: { name: 'cpu' } }] },
    });
    expect(promise([scaler('gateway', 3, 9), scaler('api', 2, 9), scaler('auth-policy', 2, 9)])).toEqual([]);
    expect(promise([scaler('gateway', 1, 1), scaler('api', 2, 9)])).toEqual([
      'gateway: one instance alone when it is quiet',
      'gateway: can not grow',
      'auth-policy: no autoscaler',
    ]);
  });
});

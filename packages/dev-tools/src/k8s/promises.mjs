// What docs/kubernetes.md promises of the manifests, read from them as they are rendered. Pure: objects in, problems out.

const SERVICES = ['gateway', 'api', 'auth-policy'];

/** Promises by name: each gives the problems it finds among the objects of an overlay. */
export const PROMISES = {
  'every pod meets the restricted standard and names what it needs': podsAreRestricted,
  'readiness asks /health, liveness only whether the port answers': probesAreRight,
  'a pod has time to drain before it is killed': drainFits,
  'no variable of a service link can pass for an option': serviceLinksAreOff,
  'pods spread over machines and zones, and disruptions come one at a time': podsSpread,
  'NATS syncs always and keeps its data on a volume': natsKeepsData,
  'gateways see every address of auth-policy': authPolicyIsHeadless,
  'the network is closed but for named peers': networkIsClosed,
  'paths go where they belong, and streams are not cut': pathsAreRouted,
  'every secret key that is used is of the one Secret': secretsAreNamed,
};

/** Promises of the production overlay besides. */
export const PRODUCTION_PROMISES = {
  'three NATS servers on three machines, three replicas of each stream': threeOfNats,
  'gateways scale by CPU and by connections, and shrink slowly': gatewaysScale,
  'every service and NATS is scraped': allAreScraped,
  'no secret is part of the overlay': noSecretInside,
};

const of = (objects, kind, name) =>
  objects.filter((one) => one.kind === kind && (name === undefined || one.metadata.name === name));
const workloads = (objects) => [...of(objects, 'Deployment'), ...of(objects, 'StatefulSet')];
const podOf = (workload) => workload.spec.template.spec;
const services = (objects) => of(objects, 'Deployment').filter(({ metadata }) => SERVICES.includes(metadata.name));
const configOf = (objects, prefix, file) =>
  of(objects, 'ConfigMap').find(({ metadata }) => metadata.name.startsWith(prefix))?.data[file] ?? '';

/** `list` is `[condition that must hold, problem]` pairs. */
const problems = (list) => list.flatMap(([holds, problem]) => (holds ? [] : [problem]));

function podsAreRestricted(objects) {
  const [namespace] = of(objects, 'Namespace');
  const enforced = namespace?.metadata.labels?.['pod-security.kubernetes.io/enforce'];
  const ofContainer = (name, container) => {
    const context = container.securityContext ?? {};
    return problems([
      [context.allowPrivilegeEscalation === false, `${name}: may escalate privileges`],
      [context.readOnlyRootFilesystem === true, `${name}: root file system is writable`],
      [context.capabilities?.drop?.includes('ALL'), `${name}: keeps capabilities`],
      [container.resources?.requests?.cpu !== undefined, `${name}: requests no CPU`],
      [container.resources?.requests?.memory !== undefined, `${name}: requests no memory`],
      [container.resources?.limits?.memory !== undefined, `${name}: has no memory limit`],
      [/:[^:]+$/.test(container.image) && !container.image.endsWith(':latest'), `${name}: image has no fixed tag`],
    ]);
  };
  const ofWorkload = (workload) => {
    const pod = podOf(workload);
    const { name } = workload.metadata;
    return [
      ...problems([
        [pod.securityContext?.runAsNonRoot === true, `${name}: may run as root`],
        [pod.securityContext?.runAsUser > 0, `${name}: has no numeric user, which runAsNonRoot needs`],
        [pod.securityContext?.seccompProfile?.type === 'RuntimeDefault', `${name}: no seccomp profile`],
        [pod.automountServiceAccountToken === false, `${name}: has a token of the Kubernetes API`],
      ]),
      ...pod.containers.flatMap((container) => ofContainer(`${name}/${container.name}`, container)),
    ];
  };
  return [
    ...problems([[enforced === 'restricted', 'namespace does not enforce the restricted standard']]),
    ...workloads(objects).flatMap(ofWorkload),
  ];
}

function probesAreRight(objects) {
  const found = services(objects).flatMap((service) => {
    const [container] = podOf(service).containers;
    return problems([
      [container.readinessProbe?.httpGet?.path === '/health', `${container.name}: readiness is not /health`],
      [container.livenessProbe?.tcpSocket !== undefined, `${container.name}: liveness is not a TCP probe`],
      [container.livenessProbe?.httpGet === undefined, `${container.name}: liveness asks by HTTP`],
      [container.startupProbe !== undefined, `${container.name}: no startup probe`],
    ]);
  });
  return [...problems([[services(objects).length === SERVICES.length, 'a service is missing']]), ...found];
}

function drainFits(objects) {
  const config = JSON.parse(configOf(objects, 'carillon-config', 'carillon.json') || '{}');
  const drain = secondsOf(config.gateway?.drain_window ?? '10s');
  const stop = secondsOf(config.shutdown?.timeout ?? '30s');
  const found = services(objects).flatMap((service) => {
    const pod = podOf(service);
    const wait = pod.containers[0].lifecycle?.preStop?.sleep?.seconds ?? 0;
    const grace = pod.terminationGracePeriodSeconds ?? 30;
    const { name } = service.metadata;
    return problems([
      [wait > 0, `${name}: is told to stop before load balancers know`],
      [
        grace > wait + stop,
        `${name}: killed after ${grace} s, but preStop (${wait} s) and shutdown take ${wait + stop} s`,
      ],
    ]);
  });
  return [
    ...problems([[drain < stop, `drain_window (${drain} s) is not below shutdown.timeout (${stop} s)`]]),
    ...found,
  ];
}

function secondsOf(duration) {
  const [, number, unit] = /^(\d+)(s|m)$/.exec(duration) ?? [];
  return Number(number) * (unit === 'm' ? 60 : 1);
}

function serviceLinksAreOff(objects) {
  const linked = workloads(objects).filter((workload) => podOf(workload).enableServiceLinks !== false);
  return linked.map(({ metadata }) => `${metadata.name}: has service links`);
}

function podsSpread(objects) {
  return workloads(objects).flatMap((workload) => {
    const { name } = workload.metadata;
    const budget = of(objects, 'PodDisruptionBudget', name)[0];
    const topologies = (podOf(workload).topologySpreadConstraints ?? []).map(({ topologyKey }) => topologyKey);
    return problems([
      [topologies.includes('topology.kubernetes.io/zone'), `${name}: not spread over zones`],
      [workload.kind === 'StatefulSet' || podOf(workload).affinity?.podAntiAffinity, `${name}: no anti-affinity`],
      [budget?.spec.maxUnavailable === 1, `${name}: no disruption budget of one`],
      [
        budget?.spec.selector.matchLabels['app.kubernetes.io/name'] === name,
        `${name}: its disruption budget selects something else`,
      ],
    ]);
  });
}

function natsKeepsData(objects) {
  const [nats] = of(objects, 'StatefulSet', 'nats');
  const conf = configOf(objects, 'nats-config', 'nats.conf');
  const storeDir = /store_dir:\s*"([^"]+)"/.exec(conf)?.[1];
  const mounts = nats === undefined ? [] : podOf(nats).containers[0].volumeMounts;
  const mount = mounts.find(({ mountPath }) => mountPath === storeDir);
  const volumes = nats?.spec.volumeClaimTemplates ?? [];
  return problems([
    [/^\s*sync_interval:\s*always/m.test(conf), 'sync_interval is not always'],
    [/^authorization \{/m.test(conf), 'NATS lets everybody in'],
    [
      volumes.some(({ metadata }) => metadata.name === mount?.name),
      `store_dir ${storeDir} is not on a volume that outlives the pod`,
    ],
    [nats?.spec.podManagementPolicy === 'Parallel', 'servers of a cluster would wait for each other'],
  ]);
}

function authPolicyIsHeadless(objects) {
  const [service] = of(objects, 'Service', 'auth-policy');
  return problems([[service?.spec.clusterIP === 'None', 'auth-policy has one address for all its pods']]);
}

function networkIsClosed(objects) {
  const policies = of(objects, 'NetworkPolicy').map(({ metadata, spec }) => ({ name: metadata.name, ...spec }));
  const all = policies.find(({ name }) => name === 'default-deny');
  const peersOf = (name) => JSON.stringify(policies.find((policy) => policy.name === name)?.ingress ?? []);
  return problems([
    [all?.policyTypes.length === 2 && all.ingress === undefined && all.egress === undefined, 'no default-deny'],
    [/gateway/.test(peersOf('auth-policy')) && !/ipBlock|\[\]/.test(peersOf('auth-policy')), 'auth-policy is open'],
    [/"gateway","api"/.test(peersOf('nats')) && !/ipBlock/.test(peersOf('nats')), 'NATS is open'],
    ...[...SERVICES, 'nats'].map((name) => [policies.some((policy) => policy.name === name), `${name}: no policy`]),
  ]);
}

function pathsAreRouted(objects) {
  const ingresses = of(objects, 'Ingress');
  const routes = ingresses.flatMap(({ spec }) => spec.rules.flatMap(({ http }) => http.paths));
  const target = (path) => routes.find((route) => route.path === path)?.backend.service.name;
  const notes = ingresses.find(({ metadata }) => metadata.name === 'clients')?.metadata.annotations ?? {};
  return problems([
    [target('/connection') === 'gateway', '/connection does not go to the gateways'],
    [target('/emulation') === 'gateway', '/emulation does not go to the gateways'],
    [target('/api') === 'api', '/api does not go to the apis'],
    [routes.length === 3, 'more is routed than that: /metrics and /health stay inside'],
    [Number(notes['nginx.ingress.kubernetes.io/proxy-read-timeout']) >= 60, 'idle connections are cut'],
    [Number(notes['nginx.ingress.kubernetes.io/proxy-send-timeout']) >= 60, 'slow event streams are cut'],
    [notes['nginx.ingress.kubernetes.io/proxy-http-version'] === '1.1', 'no upgrade to WebSocket'],
    [notes['nginx.ingress.kubernetes.io/proxy-buffering'] === 'off', 'event streams are buffered'],
  ]);
}

function secretsAreNamed(objects) {
  const known = ['token-hmac-secret-key', 'api-key', 'nats-token'];
  const containers = workloads(objects).flatMap((workload) => podOf(workload).containers);
  const used = containers.flatMap(({ env = [] }) => env.flatMap(({ valueFrom }) => valueFrom?.secretKeyRef ?? []));
  const strange = used.filter(({ name, key }) => !/^carillon-secrets(-|$)/.test(name) || !known.includes(key));
  const config = configOf(objects, 'carillon-config', 'carillon.json');
  return problems([
    [used.length > 0, 'no secret is used'],
    [strange.length === 0, `unknown keys: ${strange.map(({ key }) => key).join(', ')}`],
    [!/"(hmac_secret_key|key|token|password)"/.test(config), 'a secret is in the ConfigMap'],
  ]);
}

function threeOfNats(objects) {
  const [nats] = of(objects, 'StatefulSet', 'nats');
  const conf = configOf(objects, 'nats-config', 'nats.conf');
  const apart = podOf(nats).affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  const routes = new Set(conf.match(/nats-\d\.nats-headless:6222/g));
  const replicas = ['gateway', 'api'].map((name) => {
    const [workload] = of(objects, 'Deployment', name);
    return podOf(workload).containers[0].env.find((variable) => variable.name === 'CARILLON_NATS_REPLICAS')?.value;
  });
  return problems([
    [nats.spec.replicas === 3, 'not three servers'],
    [routes.size === 3, 'the servers do not have routes to each other'],
    [apart.some(({ topologyKey }) => topologyKey === 'kubernetes.io/hostname'), 'two servers may share a machine'],
    [replicas.every((value) => value === '3'), 'streams have fewer than three replicas'],
  ]);
}

function gatewaysScale(objects) {
  const scaled = of(objects, 'HorizontalPodAutoscaler');
  const gateway = scaled.find(({ spec }) => spec.scaleTargetRef.name === 'gateway')?.spec;
  const metrics = gateway?.metrics ?? [];
  const fixed = services(objects).filter(({ spec }) => spec.replicas !== undefined);
  return problems([
    [scaled.length === SERVICES.length, 'a service does not scale'],
    [fixed.length === 0, 'a Deployment has a fixed number beside its autoscaler: each apply would undo it'],
    [metrics.some(({ resource }) => resource?.name === 'cpu'), 'gateways do not scale by CPU'],
    [
      metrics.some(({ pods }) => pods?.metric.name === 'carillon_node_num_clients'),
      'gateways do not scale by connections',
    ],
    [gateway?.behavior?.scaleDown?.stabilizationWindowSeconds >= 300, 'gateways shrink at once'],
  ]);
}

function allAreScraped(objects) {
  const [monitor] = of(objects, 'ServiceMonitor');
  const selected = monitor?.spec.selector.matchExpressions?.[0]?.values ?? [];
  const port = monitor?.spec.endpoints[0].port;
  const without = SERVICES.filter((name) => {
    const [service] = of(objects, 'Service', name);
    return !selected.includes(name) || !service?.spec.ports.some((one) => one.name === port);
  });
  return problems([
    [without.length === 0, `not scraped: ${without.join(', ')}`],
    [of(objects, 'PodMonitor').length === 1, 'NATS is not scraped'],
  ]);
}

function noSecretInside(objects) {
  return of(objects, 'Secret').map(({ metadata }) => `Secret ${metadata.name} is in the manifests`);
}

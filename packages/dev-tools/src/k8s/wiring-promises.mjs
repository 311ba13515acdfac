// What docs/kubernetes.md promises of how the parts hang together: namespace, images, configuration, network. Pure: objects in,
// problems out.
import { mayConnect, outside, podIn, podNamed } from './network-flows.mjs';

const SERVICES = ['gateway', 'api', 'auth-policy'];
const PODS = [...SERVICES, 'nats'];
const CLUSTER_WIDE = ['Namespace'];
const DNS = podIn('kube-system');
const APP = podIn('shop');
const PUBLISHER = podIn('shop', { 'carillon.dev/publishes': 'true' });
const INGRESS = podIn('ingress-nginx');
const PROMETHEUS = podIn('monitoring');
const INTERNET = outside('203.0.113.7');
const CLOUD_METADATA = outside('169.254.169.254');

/** Promises by name: each gives the problems it finds among the objects of an overlay. */
export const WIRING_PROMISES = {
  'everything is in one namespace': isInOneNamespace,
  'each service has the one configuration, of which a change rolls its pods': configIsMounted,
  'every connection that is needed is let through': neededFlowsAreOpen,
  'no other connection is': otherFlowsAreClosed,
};

/** Promises of the production overlay besides. */
export const PRODUCTION_WIRING_PROMISES = {
  'every image of ours is that of the release': imagesAreOfTheRelease,
  'every service has room to lose an instance, and a bound': scalesWithin,
};

/** Images have fixed tags: ours is the version of the release. `version` is that of the checkout. */
function imagesAreOfTheRelease(objects, { version }) {
  const containers = workloads(objects).flatMap(({ spec }) => spec.template.spec.containers);
  const ours = containers.filter(({ image }) => /(^|\/)carillon:/.test(image));
  const wrong = ours.filter(({ image }) => image.split(':').at(-1) !== version);
  return [
    ...(ours.length === SERVICES.length ? [] : [`${ours.length} containers run our image`]),
    ...wrong.map(({ name, image }) => `${name}: ${image}, the release is ${version}`),
  ];
}

function scalesWithin(objects) {
  const autoscalers = objects.filter(({ kind }) => kind === 'HorizontalPodAutoscaler');
  return SERVICES.flatMap((name) => {
    const spec = autoscalers.find((one) => one.spec.scaleTargetRef.name === name)?.spec;
    if (spec === undefined) return [`${name}: no autoscaler`];
    const cpu = spec.metrics?.some(({ resource }) => resource?.name === 'cpu');
    return [
      ...(spec.minReplicas >= 2 ? [] : [`${name}: one instance alone when it is quiet`]),
      ...(spec.maxReplicas > spec.minReplicas ? [] : [`${name}: can not grow`]),
      ...(cpu ? [] : [`${name}: does not scale by CPU`]),
    ];
  });
}

function isInOneNamespace(objects) {
  const names = new Set(objects.filter(({ kind }) => kind === 'Namespace').map(({ metadata }) => metadata.name));
  const lost = objects.filter(({ kind, metadata }) => !CLUSTER_WIDE.includes(kind) && !names.has(metadata.namespace));
  return [
    ...(names.size === 1 ? [] : [`${names.size} namespaces`]),
    ...lost.map(({ kind, metadata }) => `${kind} ${metadata.name} is elsewhere`),
  ];
}

function configIsMounted(objects) {
  const maps = objects.filter(({ kind }) => kind === 'ConfigMap').map(({ metadata }) => metadata.name);
  return workloads(objects)
    .filter(({ metadata }) => SERVICES.includes(metadata.name))
    .flatMap(({ metadata, spec }) => {
      const { path, map, isReadOnly } = mountedConfig(spec.template.spec);
      return [
        ...(maps.includes(map) ? [] : [`${metadata.name}: ${path} is not of a ConfigMap of the overlay`]),
        ...(/^carillon-config-[a-z0-9]{10}$/.test(map) ? [] : [`${metadata.name}: its ConfigMap's name has no hash`]),
        ...(isReadOnly ? [] : [`${metadata.name}: may write to its configuration`]),
      ];
    });
}

/** Where the configuration of a pod's service comes from. */
function mountedConfig({ containers: [container], volumes }) {
  const path = container.args[container.args.indexOf('--config') + 1];
  const mount = container.volumeMounts.find(({ mountPath }) => path.startsWith(`${mountPath}/`));
  const volume = volumes.find(({ name }) => name === mount?.name);
  return { path, map: volume?.configMap?.name ?? '', isReadOnly: mount?.readOnly === true };
}

function neededFlowsAreOpen(objects) {
  const pods = podsOf(objects);
  const { gateway, api, 'auth-policy': policy, nats } = pods;
  const flows = [
    { from: gateway, to: nats, port: 4222 },
    { from: api, to: nats, port: 4222 },
    { from: gateway, to: policy, port: 10100 },
    { from: nats, to: nats, port: 6222 },
    { from: INGRESS, to: gateway, port: 8000 },
    { from: INGRESS, to: api, port: 8000 },
    { from: PUBLISHER, to: api, port: 8000 },
    { from: policy, to: APP, port: 8080 },
    { from: policy, to: INTERNET, port: 443 },
    ...SERVICES.map((name) => ({ from: PROMETHEUS, to: pods[name], port: 9000 })),
    { from: PROMETHEUS, to: nats, port: 7777 },
    ...PODS.flatMap((name) => ['UDP', 'TCP'].map((protocol) => ({ from: pods[name], to: DNS, port: 53, protocol }))),
  ];
  return flows.filter((flow) => !mayConnect(objects, flow)).map((flow) => `closed: ${textOf(flow)}`);
}

function otherFlowsAreClosed(objects) {
  const pods = podsOf(objects);
  const { gateway, api, 'auth-policy': policy, nats } = pods;
  const flows = [
    { from: policy, to: nats, port: 4222 },
    { from: api, to: policy, port: 10100 },
    { from: gateway, to: api, port: 8000 },
    { from: gateway, to: nats, port: 8222 },
    { from: gateway, to: gateway, port: 8000 },
    { from: APP, to: api, port: 8000 },
    ...[gateway, api, nats].map((from) => ({ from, to: INTERNET, port: 443 })),
    ...[gateway, api, nats].map((from) => ({ from, to: APP, port: 8080 })),
    ...PODS.map((name) => ({ from: pods[name], to: CLOUD_METADATA, port: 80 })),
    { from: policy, to: CLOUD_METADATA, port: 443 },
    ...SERVICES.map((name) => ({ from: INGRESS, to: pods[name], port: 9000 })),
    { from: INGRESS, to: nats, port: 4222 },
    ...[gateway, policy, nats].flatMap((to) =>
      [8000, 10100, 4222, 6222, 8222].map((port) => ({ from: APP, to, port })),
    ),
  ];
  return flows.filter((flow) => mayConnect(objects, flow)).map((flow) => `open: ${textOf(flow)}`);
}

function podsOf(objects) {
  return Object.fromEntries(PODS.map((name) => [name, podNamed(objects, name)]));
}

function workloads(objects) {
  return objects.filter(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet');
}

function textOf({ from, to, port, protocol = 'TCP' }) {
  return `${from.name} → ${to.name}:${port} (${protocol})`;
}

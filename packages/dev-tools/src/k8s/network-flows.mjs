// Which connections the NetworkPolicies of an overlay let through, worked out as Kubernetes does: a pod that a policy selects for a
// direction is closed in it but for what the policies name; a connection needs both its ends. Pure: objects in.

/** A pod of ours, by its workload's name. */
export function podNamed(objects, name) {
  const workload = objects.find(
    (one) => (one.kind === 'Deployment' || one.kind === 'StatefulSet') && one.metadata.name === name,
  );
  if (workload === undefined) throw new Error(`no workload ${name}`);
  const { metadata, spec } = workload.spec.template;
  const ports = spec.containers.flatMap((container) => container.ports ?? []);
  return { name, namespace: workload.metadata.namespace, labels: metadata.labels ?? {}, ports };
}

/** A pod of a namespace that is not ours. */
export const podIn = (namespace, namespaceLabels = {}) => ({
  name: namespace,
  namespace,
  labels: {},
  namespaceLabels,
  ports: [],
  isForeign: true,
});

/** An address outside of the cluster. */
export const outside = (ip) => ({ name: ip, ip, labels: {}, ports: [], isForeign: true });

/** Whether `from` may open a connection to `port` (a number) of `to`. What foreign pods have for policies is their business. */
export function mayConnect(objects, { from, to, port, protocol = 'TCP' }) {
  const policies = objects.filter(({ kind }) => kind === 'NetworkPolicy').map(({ spec }) => spec);
  const call = { port, protocol, names: to.ports };
  const isOut = from.isForeign === true || isOpen(policies, { pod: from, peer: to, direction: 'Egress', call });
  return isOut && (to.isForeign === true || isOpen(policies, { pod: to, peer: from, direction: 'Ingress', call }));
}

function isOpen(policies, { pod, peer, direction, call }) {
  const own = policies.filter(
    (policy) => policy.policyTypes.includes(direction) && matches(policy.podSelector, pod.labels),
  );
  if (own.length === 0) return true;
  const side = direction === 'Ingress' ? 'from' : 'to';
  const rules = own.flatMap((policy) => policy[direction.toLowerCase()] ?? []);
  return rules.some((rule) => isPeer(rule[side], pod, peer) && isPort(rule.ports, call));
}

function isPeer(peers, pod, peer) {
  if (peers === undefined || peers.length === 0) return true;
  return peers.some(({ ipBlock, podSelector, namespaceSelector }) => {
    if (ipBlock !== undefined) return peer.ip !== undefined && isInBlock(ipBlock, peer.ip);
    if (peer.ip !== undefined) return false;
    const labels = { 'kubernetes.io/metadata.name': peer.namespace, ...peer.namespaceLabels };
    const isNamespace =
      namespaceSelector === undefined ? peer.namespace === pod.namespace : matches(namespaceSelector, labels);
    return isNamespace && matches(podSelector ?? {}, peer.labels);
  });
}

function isPort(ports, { port, protocol, names }) {
  if (ports === undefined || ports.length === 0) return true;
  return ports.some((one) => {
    const wanted = typeof one.port === 'string' ? names.find(({ name }) => name === one.port)?.containerPort : one.port;
    return (one.protocol ?? 'TCP') === protocol && (wanted === undefined ? one.port === undefined : wanted === port);
  });
}

/** A label selector; an empty one takes all. */
function matches({ matchLabels = {}, matchExpressions = [] }, labels) {
  const hasLabels = Object.entries(matchLabels).every(([key, value]) => labels[key] === value);
  return hasLabels && matchExpressions.every((expression) => holds(expression, labels));
}

function holds({ key, operator, values = [] }, labels) {
  if (operator === 'In') return key in labels && values.includes(labels[key]);
  if (operator === 'NotIn') return !(key in labels) || !values.includes(labels[key]);
  return operator === 'Exists' ? key in labels : !(key in labels);
}

function isInBlock({ cidr, except = [] }, ip) {
  return isInCidr(cidr, ip) && !except.some((hole) => isInCidr(hole, ip));
}

function isInCidr(cidr, ip) {
  const [base, bits] = cidr.split('/');
  const size = 2 ** (32 - Number(bits));
  return Math.floor(numberOf(base) / size) === Math.floor(numberOf(ip) / size);
}

function numberOf(ip) {
  return ip.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

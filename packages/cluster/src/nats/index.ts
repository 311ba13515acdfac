export { createNatsControl, type NatsControl, type NatsControlDeps } from './nats-control.ts';
export { createNatsPresence, type NatsPresenceDeps } from './nats-presence.ts';
export type { NodeRegistry, RegistryListener } from './control/node-registry.ts';

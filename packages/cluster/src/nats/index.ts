export { createNatsBans, type NatsBansDeps } from './nats-bans.ts';
export { createNatsControl, type NatsControl, type NatsControlDeps } from './nats-control.ts';
export { createNatsPresence, type NatsPresenceDeps } from './nats-presence.ts';
export type { NodeRegistry, RegistryListener } from './control/node-registry.ts';
export { createNatsBroker, type NatsBrokerDependencies, type NatsBrokerOptions } from './nats-broker.ts';
export { connectNats, type ConnectNatsOptions, type NatsLink } from './nats-connection.ts';
export type { NatsConnectOptions, NatsTlsOptions } from './connect/nats-options.ts';
export { createNatsSubjects, DEFAULT_SHARDS, type NatsSubjects, type NatsSubjectsOptions } from './nats-subjects.ts';
export { natsEngine, type NatsEngineOptions } from './nats-engine.ts';

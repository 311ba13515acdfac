export { MemoryBroker, type MemoryBrokerDeps } from './memory-broker.ts';

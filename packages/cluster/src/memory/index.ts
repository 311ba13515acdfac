export { MemoryBans, type MemoryBansDeps } from './memory-bans.ts';
export { MemoryBroker, type MemoryBrokerDeps } from './memory-broker.ts';
export { MemoryControl, type MemoryControlDeps } from './memory-control.ts';
export { MemoryUserStatus } from './memory-user-status.ts';
export { MemoryPresence } from './memory-presence.ts';
export { memoryEngine } from './memory-engine.ts';

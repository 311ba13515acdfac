export * from './client-errors.ts';
export * from './disconnects.ts';
export * from './unsubscribes.ts';
export * from './api-errors.ts';
export { ProtocolViolation } from './protocol-violation.ts';
export { COMPAT_VERSION } from './compat-version.ts';

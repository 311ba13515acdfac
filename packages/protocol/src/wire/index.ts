export type { Wire } from './wire.ts';

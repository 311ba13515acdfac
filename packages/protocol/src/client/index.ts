export * from './frames.ts';
export type { ClientCodec } from './codec.ts';

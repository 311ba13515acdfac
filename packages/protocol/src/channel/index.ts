export * from './channel-name.ts';
export * from './channel-options.ts';
export type { StreamPosition } from './stream-position.ts';

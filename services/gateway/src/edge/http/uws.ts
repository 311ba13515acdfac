// The only file that loads uWebSockets.js, so that its request head limit is always set first: keep the two exports in this order.
/** @public */
export { MAX_REQUEST_HEAD_BYTES } from './request-head-limit.ts';
export { App, SSLApp, us_listen_socket_close, us_socket_local_port } from 'uWebSockets.js';

// Values that the typings of uWebSockets.js declare as types only.
export const EXCLUSIVE_PORT = 1;
export const SHARED_PORT = 0;
export const COMPRESSION_DISABLED = 0;

/** One for all sockets: no memory per connection. */
const SHARED_COMPRESSOR = 1;
const SHARED_DECOMPRESSOR = 256;

/**
 * Compressors of a connection's own, by the memory they take: 3, 4, 8, 16, 32, 64, 128 and 256 KiB. uWebSockets.js has no
 * levels; with more memory a message may refer further back, also to earlier messages.
 */
const DEDICATED_COMPRESSORS: readonly number[] = [145, 146, 163, 180, 197, 214, 231, 248];

/** What uWebSockets.js compresses with: level 1 (and below) shares one compressor, 2 to 9 are sizes of dedicated ones. */
export function compressionOf(level: number): number {
  const dedicated = DEDICATED_COMPRESSORS[Math.min(level, DEDICATED_COMPRESSORS.length + 1) - 2];
  return (dedicated ?? SHARED_COMPRESSOR) | SHARED_DECOMPRESSOR;
}

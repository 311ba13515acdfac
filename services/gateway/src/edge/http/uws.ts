// The only file that loads uWebSockets.js, so that its request head limit is always set first: keep the two exports in this order.
/** @public */
export { MAX_REQUEST_HEAD_BYTES } from './request-head-limit.ts';
export { App, SSLApp, us_listen_socket_close, us_socket_local_port } from 'uWebSockets.js';

// Values that the typings of uWebSockets.js declare as types only.
export const EXCLUSIVE_PORT = 1;
export const SHARED_PORT = 0;
export const COMPRESSION_DISABLED = 0;
/** One compressor and one decompressor for all sockets: no memory per connection. */
export const SHARED_COMPRESSION: number = 1 | 256;

/** client-protocol Appendix E: request heads of 12 KiB and more are accepted. Leaves room above that. */
export const MAX_REQUEST_HEAD_BYTES = 32_768;

// uWebSockets.js reads this variable once, when it is loaded, and stops at 4 KiB without it. This is a file of its own,
// because imports run before any statement of the importing file.
process.env['UWS_HTTP_MAX_HEADERS_SIZE'] ??= String(MAX_REQUEST_HEAD_BYTES);

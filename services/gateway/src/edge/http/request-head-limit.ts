// client-protocol Appendix E: request heads of 12 KiB and more are accepted. uWebSockets.js reads this variable once, when
// it is loaded, and stops at 4 KiB without it. A file of its own, because imports run before any statement.
process.env['UWS_HTTP_MAX_HEADERS_SIZE'] ??= '32768';

export {};

#!/usr/bin/env -S node --conditions=development --disable-warning=ExperimentalWarning
// uWebSockets.js reads this once, when its binary is loaded: request heads of 12 KiB and more must pass
// (queries of unidirectional transports, cookies), and its own limit is 4 KiB.
process.env.UWS_HTTP_MAX_HEADERS_SIZE ??= '16384';
await import('@carillon/cli/main');

// The floor of bench:idle: uWebSockets.js that answers two commands with fixed text and pings each socket every 25 s from
// one timer, the pong being ignored. It keeps nothing but the socket.
import { App, type WebSocket } from 'uWebSockets.js';

const PING_SLOTS = 500;
const PING_SLOT_MS = 50;
const ANSWERS = '{"id":1,"connect":{"client":"00000000-0000-4000-8000-000000000000"}}\n{"id":2,"subscribe":{}}';

interface Place {
  readonly slot: number;
}

const sockets: Set<WebSocket<Place>>[] = Array.from({ length: PING_SLOTS }, () => new Set());
let slot = 0;
let opened = 0;
setInterval(() => {
  slot = (slot + 1) % PING_SLOTS;
  for (const ws of sockets[slot] ?? []) ws.send('{}', false);
}, PING_SLOT_MS);

App()
  .ws<Place>('/*', {
    idleTimeout: 120,
    upgrade: (res, req, context) => {
      opened += 1;
      const [key = '', protocol = '', extensions = ''] = ['key', 'protocol', 'extensions'].map((name) =>
        req.getHeader(`sec-websocket-${name}`),
      );
      res.upgrade({ slot: opened % PING_SLOTS }, key, protocol, extensions, context);
    },
    open: (ws) => void sockets[ws.getUserData().slot]?.add(ws),
    close: (ws) => void sockets[ws.getUserData().slot]?.delete(ws),
    message: (ws, message) => {
      if (message.byteLength > 2) ws.send(ANSWERS, false);
    },
  })
  .any('/*', (response) => void response.end(''))
  .listen('127.0.0.1', Number(process.argv[2]), (socket) => {
    if (socket === false) throw new Error('no port');
  });

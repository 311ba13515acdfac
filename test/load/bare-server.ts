// The floor to compare with: uWebSockets.js alone, which publishes given bytes to all its sockets.
import { App } from 'uWebSockets.js';

const TOPIC = 'all';
const port = Number(process.argv[2]);

const app = App();
app.ws('/*', {
  maxBackpressure: 64 * 1024 * 1024,
  sendPingsAutomatically: false,
  idleTimeout: 0,
  open: (socket) => void socket.subscribe(TOPIC),
});
app.post('/publish', (response) => {
  let body = Buffer.alloc(0);
  response.onAborted(() => undefined);
  response.onData((chunk, isLast) => {
    body = Buffer.concat([body, Buffer.from(chunk)]);
    if (!isLast) return;
    app.publish(TOPIC, body, false);
    response.cork(() => response.end('{"result":{}}'));
  });
});
app.listen('127.0.0.1', port, (listening) => {
  if (listening === false) throw new Error(`cannot listen on ${port}`);
  console.log('listening');
});

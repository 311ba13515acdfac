// The floor to compare with: uWebSockets.js alone, which publishes given bytes to all its sockets, and answers who comes and
// goes with the bytes that a gateway sends in as many frames.
import { App } from 'uWebSockets.js';

const TOPIC = 'all';
const CONNECTED =
  '{"id":1,"connect":{"client":"5f0c2f6e-5a5c-4b0e-8f5e-2f7f3c1f0a11","version":"0","ping":25,"pong":true}}';
const JOINED =
  '{"push":{"channel":"lobby:1","join":{"info":{"user":"","client":"5f0c2f6e-5a5c-4b0e-8f5e-2f7f3c1f0a11"}}}}';
const port = Number(process.argv[2]);

const app = App();
app.ws('/*', {
  maxBackpressure: 64 * 1024 * 1024,
  sendPingsAutomatically: false,
  idleTimeout: 0,
  open: (socket) => void socket.subscribe(TOPIC),
  message: (socket, message) => {
    const text = Buffer.from(message).toString('latin1');
    if (text.includes('"connect":')) socket.send(CONNECTED, false);
    else if (text.includes('"unsubscribe":')) socket.send('{"id":3,"unsubscribe":{}}', false);
    else if (text.includes('"subscribe":')) socket.send(`{"id":2,"subscribe":{}}\n${JOINED}`, false);
  },
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

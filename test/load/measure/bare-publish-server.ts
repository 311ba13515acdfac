// The reference of bench:publish: HTTP in, one JetStream message out, answered on its acknowledgement. No offsets, no
// compare-and-set, no live copies, no checks.
import { connect } from '@nats-io/transport-node';
import { App, us_socket_local_port } from 'uWebSockets.js';

const [url = '', stream = 'bare'] = process.argv.slice(2);
const CHANNEL = /"channel":"([^"]+)"/;

const nats = await connect({ servers: url });
const config = { name: stream, subjects: [`${stream}.>`], storage: 'file', max_msgs_per_subject: 1 };
await nats.request(`$JS.API.STREAM.CREATE.${stream}`, JSON.stringify(config));
const inbox = `_INBOX.${stream}`;
const waiting = new Map<string, () => void>();
let lastId = 0;
nats.subscribe(`${inbox}.*`, {
  callback: (_error, { subject }) => {
    const id = subject.slice(inbox.length + 1);
    waiting.get(id)?.();
    waiting.delete(id);
  },
});

App()
  .post('/api/publish', (response) => {
    let isGone = false;
    response.onAborted(() => (isGone = true));
    response.onData((chunk, isLast) => {
      if (!isLast) return;
      const body = Buffer.from(chunk.slice(0));
      lastId += 1;
      const id = lastId.toString(36);
      waiting.set(id, () => {
        if (!isGone) response.cork(() => response.writeHeader('Content-Type', 'application/json').end('{"result":{}}'));
      });
      const subject = `${stream}.${CHANNEL.exec(body.toString())?.[1]?.replace(':', '_') ?? 'x'}`;
      nats.publish(subject, body, { reply: `${inbox}.${id}` });
    });
  })
  .listen('127.0.0.1', 0, (socket) => {
    if (socket === false) throw new Error('no port');
    process.send?.(us_socket_local_port(socket));
  });

// A process that holds idle WebSockets for bench:idle: each has a token and one subscription, and answers pings.
import { secondsFromNow, signToken } from '../../harness/token.ts';
import { openRawWebsocket } from './raw-websocket.ts';

/** Opens `count` more; answered with the number of open ones when all are subscribed. */
export interface OpenIdle {
  readonly port: number;
  readonly path: string;
  readonly count: number;
  readonly channels: number;
}

const OPEN_AT_ONCE = 50;
const TOKEN_TTL_S = 3600;

let open = 0;

process.on('message', (message: OpenIdle) => {
  void openAll(message).then(() => process.send?.(open));
});

async function openAll(settings: OpenIdle): Promise<void> {
  const { count } = settings;
  for (let done = 0; done < count; done += OPEN_AT_ONCE) {
    const size = Math.min(OPEN_AT_ONCE, count - done);
    await Promise.all(Array.from({ length: size }, () => hold(settings)));
  }
}

function hold({ port, path, channels }: OpenIdle): Promise<void> {
  open += 1;
  const index = open;
  const token = signToken({ sub: `user-${index}`, exp: secondsFromNow(TOKEN_TTL_S) });
  return new Promise((resolve) => {
    let replies = 0;
    openRawWebsocket({
      port,
      path,
      onOpen: (socket) => {
        const connect = JSON.stringify({ id: 1, connect: { token, name: 'bench' } });
        socket.send(`${connect}\n${JSON.stringify({ id: 2, subscribe: { channel: `channel-${index % channels}` } })}`);
      },
      onMessage: (text, socket) => {
        if (text === '{}') {
          socket.send('{}');
          return;
        }
        replies += text.split('\n').length;
        if (replies === 2) resolve();
      },
      onClose: () => {
        throw new Error('an idle connection was closed');
      },
    });
  });
}

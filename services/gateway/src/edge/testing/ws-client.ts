// For tests of this folder: the WebSocket client of Node, with what it received kept in order.

export interface ClosedWith {
  readonly code: number;
  readonly reason: string;
}

export interface WsClient {
  readonly socket: WebSocket;
  /** Text as it came, binary as bytes. */
  readonly messages: (string | Uint8Array)[];
  readonly opened: Promise<void>;
  readonly closed: Promise<ClosedWith>;
  /** Resolves when that many messages have come. */
  received(count: number): Promise<readonly (string | Uint8Array)[]>;
}

export function connectWs(url: string, protocols: string[] = []): WsClient {
  const socket = new WebSocket(url, protocols);
  socket.binaryType = 'arraybuffer';
  const messages: (string | Uint8Array)[] = [];
  let waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  socket.addEventListener('message', ({ data }: MessageEvent<string | ArrayBuffer>) => {
    messages.push(typeof data === 'string' ? data : new Uint8Array(data));
    for (const { count, resolve } of waiting) if (messages.length >= count) resolve();
    waiting = waiting.filter(({ count }) => messages.length < count);
  });
  return {
    socket,
    messages,
    opened: new Promise((resolve, reject) => {
      socket.addEventListener('open', () => resolve());
      socket.addEventListener('error', () => reject(new Error('the handshake failed')));
    }),
    closed: new Promise((resolve) => {
      socket.addEventListener('close', ({ code, reason }) => resolve({ code, reason }));
    }),
    received: async (count) => {
      if (messages.length < count) await new Promise<void>((resolve) => waiting.push({ count, resolve }));
      return messages;
    },
  };
}

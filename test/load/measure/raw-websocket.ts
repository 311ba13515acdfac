import { connect, type Socket } from 'node:net';

/**
 * A WebSocket client that costs as little as possible, so that the server is what a bench measures: sends text frames up
 * to 64 KiB, no compression, no ping handling of its own.
 */
export interface RawWebsocket {
  send(text: string): void;
  close(): void;
}

export interface RawWebsocketOptions {
  readonly port: number;
  readonly path: string;
  readonly onOpen: (socket: RawWebsocket) => void;
  /** Text of one message. */
  readonly onMessage: (text: string, socket: RawWebsocket) => void;
  readonly onClose?: (() => void) | undefined;
}

const HEADER_END = '\r\n\r\n';

export function openRawWebsocket(options: RawWebsocketOptions): RawWebsocket {
  const socket = connect({ port: options.port, host: '127.0.0.1', noDelay: true });
  const client: RawWebsocket = {
    send: (text) => void socket.write(maskedFrame(text)),
    close: () => socket.destroy(),
  };
  let isOpen = false;
  let pending: Buffer = Buffer.alloc(0);
  socket.on('connect', () => socket.write(handshake(options)));
  socket.on('data', (chunk: Buffer) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    if (!isOpen) {
      const end = pending.indexOf(HEADER_END);
      if (end === -1) return;
      if (!pending.subarray(9, 12).equals(Buffer.from('101')))
        throw new Error(`no upgrade: ${pending.toString('latin1', 0, end)}`);
      pending = pending.subarray(end + HEADER_END.length);
      isOpen = true;
      options.onOpen(client);
    }
    pending = readFrames(pending, (text) => options.onMessage(text, client));
  });
  closeQuietly(socket, options.onClose);
  return client;
}

function closeQuietly(socket: Socket, onClose: (() => void) | undefined): void {
  // A reset is an end like any other here: the bench counts who is left.
  socket.on('error', () => socket.destroy());
  socket.on('close', () => onClose?.());
}

function handshake({ port, path }: RawWebsocketOptions): string {
  return [
    `GET ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version: 13',
    HEADER_END.slice(2),
  ].join('\r\n');
}

/** Masked with zeros: legal, and free. */
function maskedFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  const isLong = payload.length > 125;
  const frame = Buffer.alloc((isLong ? 8 : 6) + payload.length);
  frame[0] = 0x81;
  if (isLong) {
    frame[1] = 0x80 | 126;
    frame.writeUInt16BE(payload.length, 2);
  } else {
    frame[1] = 0x80 | payload.length;
  }
  payload.copy(frame, isLong ? 8 : 6);
  return frame;
}

/** Hands over each complete message and gives what is left. */
function readFrames(bytes: Buffer, onText: (text: string) => void): Buffer {
  let offset = 0;
  while (bytes.length - offset >= 2) {
    let length = (bytes[offset + 1] ?? 0) & 0x7f;
    let start = offset + 2;
    if (length === 126) {
      if (bytes.length - offset < 4) break;
      length = bytes.readUInt16BE(offset + 2);
      start = offset + 4;
    } else if (length === 127) {
      if (bytes.length - offset < 10) break;
      length = Number(bytes.readBigUInt64BE(offset + 2));
      start = offset + 10;
    }
    if (bytes.length < start + length) break;
    if (((bytes[offset] ?? 0) & 0x0f) === 1) onText(bytes.toString('utf8', start, start + length));
    offset = start + length;
  }
  return bytes.subarray(offset);
}

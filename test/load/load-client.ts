// Holds many subscribers and counts what they receive. A raw TCP reader: what it costs must not slow the server down.
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';

export interface LoadClientSettings {
  readonly port: number;
  readonly path: string;
  readonly subscribers: number;
  /** Text frames to send after the upgrade. */
  readonly frames: readonly string[];
  /** Reads from each subscriber before it counts: the answers to `frames`. */
  readonly answers: number;
  /** Set: no WebSocket but a streaming response of JSON messages to a POST with this body. */
  readonly streamBody?: string | undefined;
}

const LONG_HEAD_BYTES = 4;
const NEWLINE = 0x0a;
const CLOSING_BRACE = 0x7d;

interface Counter {
  readonly messages: number;
  read(chunk: Buffer): void;
}

/** Counts JSON messages that end a line: others are the framing of HTTP and of server-sent events. */
class LineCounter implements Counter {
  messages = 0;
  #last = 0;

  read(chunk: Buffer): void {
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, at + 1)) {
      if ((at === 0 ? this.#last : chunk[at - 1]) === CLOSING_BRACE) this.messages += 1;
    }
    this.#last = chunk.at(-1) ?? this.#last;
  }
}

/** Counts messages in the frames of a byte stream, without keeping any: one frame may hold several, a line each. */
class MessageCounter implements Counter {
  messages = 0;
  #head: number[] = [];
  #skip = 0;

  read(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#skip > 0) {
        const taken = Math.min(this.#skip, chunk.length - at);
        this.messages += countNewlines(chunk, at, at + taken);
        this.#skip -= taken;
        at += taken;
        continue;
      }
      this.#head.push(chunk[at] ?? 0);
      at += 1;
      const length = payloadLength(this.#head);
      if (length === undefined) continue;
      this.#head = [];
      this.#skip = length;
      this.messages += 1;
    }
  }
}

function countNewlines(chunk: Buffer, from: number, to: number): number {
  let count = 0;
  for (let at = chunk.indexOf(NEWLINE, from); at >= 0 && at < to; at = chunk.indexOf(NEWLINE, at + 1)) count += 1;
  return count;
}

/** Of a server frame (unmasked) once its head is whole. */
function payloadLength(head: readonly number[]): number | undefined {
  const [, second = 0] = head;
  if (head.length < 2) return undefined;
  if (second < 126) return second;
  if (second === 126) return head.length < LONG_HEAD_BYTES ? undefined : (head[2] ?? 0) * 256 + (head[3] ?? 0);
  throw new Error('a frame that is larger than this client expects');
}

function clientFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  const mask = randomBytes(4);
  const head =
    payload.length < 126 ? [0x81, 0x80 | payload.length] : [0x81, 0xfe, payload.length >> 8, payload.length & 0xff];
  const masked = payload.map((byte, at) => byte ^ (mask[at % 4] ?? 0));
  return Buffer.concat([Buffer.from(head), mask, masked]);
}

const counters: Counter[] = [];

function subscribe(settings: LoadClientSettings): Promise<Socket> {
  const { port, frames, answers, streamBody } = settings;
  return new Promise((resolve, reject) => {
    const counter = streamBody === undefined ? new MessageCounter() : new LineCounter();
    let isUpgraded = false;
    let head = Buffer.alloc(0);
    const socket = connect(port, '127.0.0.1', () => {
      socket.setNoDelay(true);
      socket.write(requestOf(settings));
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('a subscriber was closed')));
    socket.on('data', (chunk) => {
      if (isUpgraded) {
        counter.read(chunk);
        if (counter.messages >= answers) resolve(socket);
        return;
      }
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return;
      isUpgraded = true;
      for (const text of frames) socket.write(clientFrame(text));
      counter.read(head.subarray(end + 4));
      counters.push(counter);
      if (counter.messages >= answers) resolve(socket);
    });
  });
}

function requestOf({ path, streamBody }: LoadClientSettings): string {
  if (streamBody !== undefined) {
    return `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ${Buffer.byteLength(streamBody)}\r\n\r\n${streamBody}`;
  }
  const key = randomBytes(16).toString('base64');
  return (
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
    `Sec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n\r\n`
  );
}

process.on('message', (message: LoadClientSettings | 'count') => {
  void answer(message).then((reply) => process.send?.(reply));
});

async function answer(message: LoadClientSettings | 'count'): Promise<number> {
  if (message === 'count') return counters.reduce((sum, { messages }) => sum + messages, 0);
  const BATCH = 50;
  for (let done = 0; done < message.subscribers; done += BATCH) {
    const size = Math.min(BATCH, message.subscribers - done);
    await Promise.all(Array.from({ length: size }, () => subscribe(message)));
  }
  return counters.reduce((sum, { messages }) => sum + messages, 0);
}

import { connect, type Socket } from 'node:net';

export interface HttpLoadOptions {
  readonly port: number;
  readonly path: string;
  readonly connections: number;
  /** Bodies of the requests, by turns. */
  readonly bodies: readonly string[];
}

const OK_DIGIT = 0x32;
const STATUS_AT = 9;
const HEADER_END = '\r\n\r\n';
const CONTENT_LENGTH = /content-length: (\d+)/i;

/** Keep-alive connections that send the next request when the answer is whole. Counts answers; an error answer ends it. */
export class HttpLoad {
  answered = 0;
  /** Answers that told of an error in their body. */
  failed = 0;
  readonly #sockets: Socket[] = [];
  readonly #requests: readonly Buffer[];
  #turn = 0;

  constructor({ port, path, connections, bodies }: HttpLoadOptions) {
    this.#requests = bodies.map((body) => requestOf(path, body));
    for (let index = 0; index < connections; index += 1) this.#sockets.push(this.#open(port));
  }

  stop(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #open(port: number): Socket {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => this.#next(socket));
    let pending = '';
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      pending += chunk.toString('latin1');
      const end = pending.indexOf(HEADER_END);
      if (end === -1) return;
      const length = Number(CONTENT_LENGTH.exec(pending)?.[1] ?? '0');
      if (pending.length < end + HEADER_END.length + length) return;
      if (pending.charCodeAt(STATUS_AT) !== OK_DIGIT) throw new Error(pending);
      if (pending.includes('"error":{', end)) this.failed += 1;
      this.answered += 1;
      pending = '';
      this.#next(socket);
    });
    return socket;
  }

  #next(socket: Socket): void {
    this.#turn += 1;
    const request = this.#requests[this.#turn % this.#requests.length];
    if (request !== undefined) socket.write(request);
  }
}

function requestOf(path: string, body: string): Buffer {
  const head = [
    `POST ${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    'X-API-Key: k',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  return Buffer.from(`${head.join('\r\n')}${HEADER_END}${body}`);
}

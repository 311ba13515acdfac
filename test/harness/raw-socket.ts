import { WebSocket, type ClientOptions } from 'ws';

import { within } from './eventually.ts';

export interface RawSocketOptions {
  readonly protocols?: readonly string[] | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly deflate?: boolean | undefined;
}

export interface Closed {
  readonly code: number;
  readonly reason: string;
}

/** The server did not take the upgrade. */
export class UpgradeRefused extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`upgrade refused with ${status}`);
    this.status = status;
  }
}

const DEADLINE_MS = 20_000;

/** A WebSocket whose frames the test writes and reads itself. */
export class RawSocket {
  /** Every frame that arrived: text as string, binary as bytes. */
  readonly frames: (string | Buffer)[] = [];
  /** WebSocket control pings that arrived. */
  controlPings = 0;
  onFrame: (frame: string | Buffer) => void = () => undefined;
  readonly #socket: WebSocket;
  readonly #closed: Promise<Closed>;
  #read = 0;
  #wake: (() => void) | undefined = undefined;
  #end: Closed | undefined = undefined;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      const frame = isBinary ? data : data.toString();
      this.frames.push(frame);
      this.onFrame(frame);
      this.#wake?.();
    });
    socket.on('ping', () => (this.controlPings += 1));
    this.#closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => {
        this.#end = { code, reason: reason.toString() };
        resolve(this.#end);
        this.#wake?.();
      });
    });
    // A refused upgrade and a broken connection end in `open` and `closed`.
    socket.on('error', (error) => void error);
  }

  static open(
    url: string,
    { protocols = [], headers = {}, deflate = false }: RawSocketOptions = {},
  ): Promise<RawSocket> {
    const options: ClientOptions = { headers, perMessageDeflate: deflate, handshakeTimeout: DEADLINE_MS };
    const socket = new WebSocket(url, [...protocols], options);
    const raw = new RawSocket(socket);
    return new Promise((resolve, reject) => {
      socket.once('open', () => resolve(raw));
      socket.once('unexpected-response', (request, response) => {
        request.destroy();
        reject(new UpgradeRefused(response.statusCode ?? 0));
      });
      socket.once('error', reject);
    });
  }

  /** The subprotocol that the server chose; '' for none. */
  get protocol(): string {
    return this.#socket.protocol;
  }

  get end(): Closed | undefined {
    return this.#end;
  }

  send(frame: string | Uint8Array): void {
    this.#socket.send(frame);
  }

  /** The next frame that the test has not read. Fails at once when the socket has closed without one. */
  async nextFrame(deadlineMs = DEADLINE_MS): Promise<string | Buffer> {
    const wait = async (): Promise<string | Buffer> => {
      for (;;) {
        const frame = this.frames[this.#read];
        if (frame !== undefined) {
          this.#read += 1;
          return frame;
        }
        if (this.#end !== undefined) throw new Error(`closed with ${this.#end.code} ${this.#end.reason}, no frame`);
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    };
    return within(wait(), deadlineMs, 'next frame');
  }

  closed(deadlineMs = DEADLINE_MS): Promise<Closed> {
    return within(this.#closed, deadlineMs, 'close');
  }

  /** Stops reading, as a slow client does. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(): void {
    this.#socket.close();
  }

  /** Ends the connection without a word. */
  drop(): void {
    this.#socket.terminate();
  }
}

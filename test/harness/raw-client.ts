import { within } from './eventually.ts';
import { RawSocket, type Closed, type RawSocketOptions } from './raw-socket.ts';

// A test reads answers of many shapes and compares them whole: they stay as JSON gives them.
// oxlint-disable-next-line typescript/no-explicit-any -- the shape is what the test checks
export type Json = any;

const DEADLINE_MS = 20_000;

/** A client of the JSON protocol that hides nothing: commands, replies and pushes as they are on the wire. */
export class RawClient {
  readonly socket: RawSocket;
  /** Pushes that the test has not taken, in order. */
  readonly pushes: Json[] = [];
  pings = 0;
  /** Whether pings are answered. */
  isAlive = true;
  #lastId = 0;
  #waiting: Map<number, (reply: Json) => void> = new Map();
  #wake: (() => void) | undefined = undefined;
  /** Result of the connect command. */
  connected: Json = undefined;

  constructor(socket: RawSocket) {
    this.socket = socket;
    socket.onFrame = (frame) => {
      for (const line of frame.toString().split('\n')) this.#receive(JSON.parse(line));
    };
  }

  static async open(url: string, options?: RawSocketOptions): Promise<RawClient> {
    return new RawClient(await RawSocket.open(url, options));
  }

  get id(): string {
    return this.connected.client;
  }

  /** Sends the command under a new id and gives the whole reply. */
  async call(command: Record<string, unknown>, deadlineMs = DEADLINE_MS): Promise<Json> {
    this.#lastId += 1;
    const id = this.#lastId;
    const reply = this.reply(id, deadlineMs);
    this.socket.send(JSON.stringify({ id, ...command }));
    return reply;
  }

  /** Reply to the command of this id. Fails at once when the connection closes before. */
  async reply(id: number, deadlineMs = DEADLINE_MS): Promise<Json> {
    this.#lastId = Math.max(this.#lastId, id);
    const reply = new Promise<Json>((resolve, reject) => {
      this.#waiting.set(id, resolve);
      void this.socket.closed(deadlineMs + 1_000).then(
        ({ code, reason }) => reject(new Error(`closed with ${code} ${reason} instead of reply ${id}`)),
        () => undefined,
      );
    });
    return within(reply, deadlineMs, `reply ${id}`);
  }

  async connect(request: Record<string, unknown> = {}): Promise<Json> {
    const reply = await this.call({ connect: request });
    this.connected = reply.connect;
    return reply;
  }

  subscribe(channel: string, request: Record<string, unknown> = {}): Promise<Json> {
    return this.call({ subscribe: { channel, ...request } });
  }

  /** The next push, whatever its channel. */
  async push(deadlineMs = DEADLINE_MS): Promise<Json> {
    const wait = async (): Promise<Json> => {
      for (;;) {
        const push = this.pushes.shift();
        if (push !== undefined) return push;
        const { end } = this.socket;
        if (end !== undefined) throw new Error(`closed with ${end.code} ${end.reason}, no push`);
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
          void this.socket.closed(deadlineMs + 1_000).then(
            () => resolve(),
            () => undefined,
          );
        });
      }
    };
    return within(wait(), deadlineMs, 'next push');
  }

  /** The next publication. */
  async publication(deadlineMs = DEADLINE_MS): Promise<Json> {
    const push = await this.push(deadlineMs);
    if (push.pub === undefined) throw new Error(`a push that is no publication: ${JSON.stringify(push)}`);
    return push.pub;
  }

  closed(deadlineMs?: number): Promise<Closed> {
    return this.socket.closed(deadlineMs);
  }

  #receive(reply: Json): void {
    if (typeof reply.id === 'number') {
      const resolve = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      resolve?.(reply);
    } else if (reply.push !== undefined) {
      this.pushes.push(reply.push);
      this.#wake?.();
    } else {
      this.pings += 1;
      if (this.isAlive) this.socket.send('{}');
    }
  }
}

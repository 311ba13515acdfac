import { connect, type NatsConnection } from '@nats-io/transport-node';

/** Counts direct reads of streams by whoever makes them, as NATS sees them. */
export class ReadCounter {
  readonly #connection: NatsConnection;
  #count = 0;

  private constructor(connection: NatsConnection) {
    this.#connection = connection;
    connection.subscribe('$JS.API.DIRECT.GET.>', { callback: () => void (this.#count += 1) });
  }

  static async start(url: string): Promise<ReadCounter> {
    const counter = new ReadCounter(await connect({ servers: url }));
    await counter.#connection.flush();
    return counter;
  }

  /** Reads so far. */
  async count(): Promise<number> {
    await this.#connection.flush();
    return this.#count;
  }

  stop(): Promise<void> {
    return this.#connection.close();
  }
}

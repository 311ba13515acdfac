import { MsgHdrsImpl } from '@nats-io/nats-core/internal';

const VERSION_LINE = 'NATS/1.0\r\n';

/** Header lines already as bytes. The library's own headers cost more than all the rest of an append. */
export class RawHeaders extends MsgHdrsImpl {
  readonly #bytes: Uint8Array;

  /** @param lines `Name: value` each, ASCII; never text from outside. */
  constructor(lines: string) {
    super();
    this.#bytes = Buffer.from(`${VERSION_LINE}${lines}\r\n`, 'latin1');
  }

  override encode(): Uint8Array {
    return this.#bytes;
  }
}

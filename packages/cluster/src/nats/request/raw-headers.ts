import { MsgHdrsImpl } from '@nats-io/nats-core/internal';

const VERSION_LINE = 'NATS/1.0\r\n';

/** Header lines as text. The library's own headers cost more than all the rest of an append. */
export class RawHeaders extends MsgHdrsImpl {
  /** `Name: value` and a line end each, ASCII; never text from outside. */
  readonly lines: string;

  constructor(lines: string) {
    super();
    this.lines = lines;
  }

  override encode(): Uint8Array {
    return Buffer.from(`${VERSION_LINE}${this.lines}\r\n`, 'latin1');
  }
}

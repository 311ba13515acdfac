import { MsgHdrsImpl } from '@nats-io/nats-core/internal';

const VERSION_LINE = 'NATS/1.0\r\n';

/**
 * Header lines as text. The library's own headers cost more than all the rest of an append. One object serves one publish
 * after the other, since a publish encodes them before it returns.
 */
export class RawHeaders extends MsgHdrsImpl {
  /** `Name: value` and a line end each, ASCII; never text from outside. */
  lines = '';

  override encode(): Uint8Array {
    return Buffer.from(`${VERSION_LINE}${this.lines}\r\n`, 'latin1');
  }
}

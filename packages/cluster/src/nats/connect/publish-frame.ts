import type { ByteWriter } from '../record/byte-writer.ts';

/** One message for NATS. Nothing of it is looked at for blanks or line ends: subjects and headers are ours. */
export interface OutgoingMessage {
  readonly subject: string;
  /** Of a writer: what was written since it was last emptied, which empties it. */
  readonly payload: Uint8Array | ByteWriter;
  /** Empty: nobody is to answer. */
  readonly reply: string;
  /** `Name: value` and a line end each, ASCII; empty: no headers. */
  readonly headers: string;
}

const LINE_END = '\r\n';
const VERSION_LINE = 'NATS/1.0\r\n';
const CR = 0x0d;
const LF = 0x0a;

/** Bytes of headers and payload, as a server counts them against `max_payload`. */
export function contentLength({ headers, payload }: OutgoingMessage): number {
  return headersLength(headers) + payload.length;
}

/** All that comes before the payload. Latin-1. */
export function frameHead(message: OutgoingMessage): string {
  const { subject, reply, headers, payload } = message;
  const to = reply === '' ? subject : `${subject} ${reply}`;
  if (headers === '') return `PUB ${to} ${payload.length}${LINE_END}`;
  const numHeaderBytes = headersLength(headers);
  return `HPUB ${to} ${numHeaderBytes} ${numHeaderBytes + payload.length}${LINE_END}${VERSION_LINE}${headers}${LINE_END}`;
}

/** How long the whole frame is. */
export function frameLength(head: string, { payload }: OutgoingMessage): number {
  return head.length + payload.length + LINE_END.length;
}

export function writeFrame(target: Buffer, at: number, head: string, { payload }: OutgoingMessage): void {
  let end = at + target.write(head, at, 'latin1');
  const { length } = payload;
  if (payload instanceof Uint8Array) target.set(payload, end);
  else payload.moveTo(target, end);
  end += length;
  target[end] = CR;
  target[end + 1] = LF;
}

function headersLength(headers: string): number {
  return headers === '' ? 0 : VERSION_LINE.length + headers.length + LINE_END.length;
}

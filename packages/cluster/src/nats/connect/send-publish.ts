import type { NatsConnection, PublishOptions } from '@nats-io/nats-core';
import { RawHeaders } from '../request/raw-headers.ts';

/** What is used of the library's inside: it takes bytes of the protocol, and keeps them in order with its own. */
interface CommandSink {
  sendCommand(bytes: Uint8Array): void;
}

const LINE_END = '\r\n';
const NO_HEADERS = new Uint8Array(0);

/**
 * A publish as the library does it, for a third of its CPU time: in one buffer of the pool instead of four that are
 * allocated and copied together, and without a search for blanks in subjects, which are ours. False when it must be left to
 * the library: it is closing, is going to refuse the message, or its inside is not what we know.
 */
export function sendPublish(
  connection: NatsConnection,
  { subject, payload, options }: { subject: string; payload: Uint8Array; options: PublishOptions | undefined },
): boolean {
  const sink = sinkOf(connection);
  if (sink === undefined || connection.isClosed() || connection.isDraining()) return false;
  const headers = encodedHeaders(options);
  if (headers === undefined) return false;
  const numBytes = headers.length + payload.length;
  if (numBytes > (connection.info?.max_payload ?? 0)) return false;
  const to = options?.reply === undefined ? subject : `${subject} ${options.reply}`;
  const line =
    headers.length === 0
      ? `PUB ${to} ${payload.length}${LINE_END}`
      : `HPUB ${to} ${headers.length} ${numBytes}${LINE_END}`;
  const frame = Buffer.allocUnsafe(line.length + numBytes + LINE_END.length);
  let end = frame.write(line, 0, 'latin1');
  frame.set(headers, end);
  end += headers.length;
  frame.set(payload, end);
  frame.write(LINE_END, end + payload.length, 'latin1');
  sink.sendCommand(frame);
  return true;
}

/** Undefined for those that only the library encodes. */
function encodedHeaders(options: PublishOptions | undefined): Uint8Array | undefined {
  if (options?.headers === undefined) return NO_HEADERS;
  return options.headers instanceof RawHeaders ? options.headers.encode() : undefined;
}

function sinkOf(connection: NatsConnection): CommandSink | undefined {
  const { protocol } = connection as { protocol?: Partial<CommandSink> };
  return typeof protocol?.sendCommand === 'function' ? (protocol as CommandSink) : undefined;
}

import type { Message } from '@bufbuild/protobuf';
import type { GenMessage } from '@bufbuild/protobuf/codegenv2';
import { ProtocolViolation } from '../codes/protocol-violation.ts';
import { ByteSink } from './byte-sink.ts';
import { readJsonMessage, readJsonMessages, type JsonReading } from './json-reader.ts';
import { API_JSON, CLIENT_JSON, writeJsonMessage } from './json-writer.ts';
import { planMessage, type AlwaysPresent, type Fields } from './message-plan.ts';
import { readProtobufMessage } from './protobuf-reader.ts';
import { writeProtobufMessage } from './protobuf-writer.ts';
import type { Wire } from './wire.ts';

/**
 * Both encodings of one message type. Readers throw ProtocolViolation and nothing else; what they return holds views of
 * their argument. Writers return memory of their own, and throw RangeError for a number that the field cannot hold.
 */
export interface MessageCodec<T> {
  readonly readJson: (json: Uint8Array) => T;
  /** Messages one after the other with any whitespace between, decoded lazily. */
  readonly readJsonStream: (json: Uint8Array) => Iterable<T>;
  readonly writeJson: (message: T) => Uint8Array;
  readonly readProtobuf: (bytes: Uint8Array) => T;
  readonly writeProtobuf: (message: T) => Uint8Array;
  /** With the length prefix of the client protocol (P3). */
  readonly writeDelimited: (message: T) => Uint8Array;
  /** The messages of a frame of length-prefixed messages, decoded lazily. */
  readonly readDelimited: (frame: Uint8Array) => Iterable<T>;
}

export interface CodecOptions {
  /**
   * `client`: text after the value ignored, payloads verbatim. `api` (server API, proxies): nothing after the value,
   * payloads compacted and escaped, or InvalidPayload.
   */
  readonly json: 'client' | 'api';
  readonly alwaysPresent?: AlwaysPresent | undefined;
  /** Names of fields that this codec does not know: readers skip them, whatever they hold. */
  readonly without?: readonly string[] | undefined;
}

const CLIENT_READING: JsonReading = { allowsTrailing: true };
const API_READING: JsonReading = { allowsTrailing: false };

/** Compiles the codec of a generated message; done once per message at start. */
export function compileCodec<T extends Message>(desc: GenMessage<T>, options: CodecOptions): MessageCodec<Wire<T>> {
  const plan = planMessage(desc, { alwaysPresent: options.alwaysPresent, without: options.without });
  const reading = options.json === 'client' ? CLIENT_READING : API_READING;
  const writing = options.json === 'client' ? CLIENT_JSON : API_JSON;
  const sink = new ByteSink();
  // The plan was made from the type's own descriptor, so what the readers build is a Wire<T>.
  const typed = (fields: Fields): Wire<T> => fields as Wire<T>;

  function* readDelimited(frame: Uint8Array): Generator<Wire<T>> {
    let position = 0;
    while (position < frame.length) {
      const { start, end } = delimited(frame, position);
      yield typed(readProtobufMessage(plan, frame.subarray(start, end)));
      position = end;
    }
  }

  function* readJsonStream(json: Uint8Array): Generator<Wire<T>> {
    for (const fields of readJsonMessages(plan, json)) yield typed(fields);
  }

  return {
    readDelimited,
    readJsonStream,
    readJson: (json) => typed(readJsonMessage(plan, json, reading)),
    readProtobuf: (bytes) => typed(readProtobufMessage(plan, bytes)),
    writeJson(message) {
      sink.reset();
      writeJsonMessage(plan, message, writing, sink);
      return sink.take();
    },
    writeProtobuf(message) {
      sink.reset();
      writeProtobufMessage(plan, message, sink);
      return sink.take();
    },
    writeDelimited(message) {
      sink.reset();
      const start = sink.beginDelimited();
      writeProtobufMessage(plan, message, sink);
      sink.endDelimited(start);
      return sink.take();
    },
  };
}

/** Where the length-prefixed message at a position lies. */
function delimited(frame: Uint8Array, position: number): { start: number; end: number } {
  let length = 0;
  let at = position;
  for (let scale = 1; scale < 2 ** 53; scale *= 128) {
    const byte = frame[at++];
    if (byte === undefined) break;
    length += (byte & 0x7f) * scale;
    if (byte >= 0x80) continue;
    if (at + length > frame.length) break;
    return { start: at, end: at + length };
  }
  throw new ProtocolViolation('a message is longer than its frame');
}

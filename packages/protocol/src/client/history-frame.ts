import { escapedJsonString } from '../wire/raw-json.ts';
import { historyResultCodec, replyCodec } from './client-messages.ts';
import type { ClientCodec } from './codec.ts';
import type { Publication } from './frames.ts';

// The same publications of a channel are read by one client after the other: they are encoded once, and each reply is those
// bytes with the few around them that are its own.

/** Publications as they stand in the reply to a history command of one encoding. Never written to. */
export type EncodedPublications = Uint8Array;

export interface HistoryReply {
  readonly id: number;
  /** As {@link encodePublications} gave them, for the encoding of the reply. */
  readonly publications: EncodedPublications;
  readonly epoch: string;
  readonly offset: number;
}

const NONE: EncodedPublications = new Uint8Array(0);
/** What the encoder of a result puts around its publications. */
const JSON_HEAD_BYTES = '{"publications":['.length;
const JSON_TAIL_BYTES = '],"epoch":"","offset":0}'.length;

const DELIMITED = 2;
/** Of `Reply.history`. */
const HISTORY_TAG: Uint8Array = Uint8Array.of((11 << 3) | DELIMITED);

export function encodePublications(
  kind: ClientCodec['kind'],
  publications: readonly Publication[],
): EncodedPublications {
  if (publications.length === 0) return NONE;
  if (kind === 'protobuf') return historyResultCodec.writeProtobuf({ publications });
  const result = historyResultCodec.writeJson({ publications });
  return result.subarray(JSON_HEAD_BYTES, result.length - JSON_TAIL_BYTES);
}

/** Equal byte for byte to what the codec's `encodeReply` gives for the same publications. */
export function encodeHistoryReply(kind: ClientCodec['kind'], reply: HistoryReply): Uint8Array {
  const frame = kind === 'json' ? jsonReply(reply) : protobufReply(reply);
  return new Uint8Array(frame.buffer, frame.byteOffset, frame.length);
}

function jsonReply({ id, publications, epoch, offset }: HistoryReply): Buffer {
  const head = Buffer.from(`${id === 0 ? '{' : `{"id":${id},`}"history":{"publications":[`, 'latin1');
  const tail = Buffer.from(`],"epoch":${escapedJsonString(epoch)},"offset":${offset}}}`);
  return Buffer.concat([head, publications, tail]);
}

function protobufReply({ id, publications, epoch, offset }: HistoryReply): Buffer {
  const start = replyCodec.writeProtobuf({ id });
  const end = historyResultCodec.writeProtobuf({ epoch, offset });
  const resultLength = varint(publications.length + end.length);
  const length = varint(start.length + HISTORY_TAG.length + resultLength.length + publications.length + end.length);
  return Buffer.concat([length, start, HISTORY_TAG, resultLength, publications, end]);
}

/** Unsigned LEB128 of a length. */
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

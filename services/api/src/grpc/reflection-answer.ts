import { apiFile } from '@carillon/protocol/api';
import { status } from '@grpc/grpc-js';
import { bytesField } from './protobuf-field.ts';

// Messages of `grpc.reflection.v1` (and `v1alpha`, which differs in its name alone), which no schema of ours has.
// Request: host 1, file_by_filename 3, file_containing_symbol 4, file_containing_extension 5,
// all_extension_numbers_of_type 6, list_services 7.
// Response: valid_host 1, original_request 2, file_descriptor_response 4, list_services_response 6, error_response 7.

export const REFLECTION_SERVICES: readonly string[] = [
  'grpc.reflection.v1.ServerReflection',
  'grpc.reflection.v1alpha.ServerReflection',
];

const FILE_BY_NAME = 3;
const FILE_BY_SYMBOL = 4;
const LIST_SERVICES = 7;
const MAX_REQUEST_BYTES = 4_096;

/** Answers one serialised request with a serialised response. Throws for what is not such a request. */
export function answerReflection(request: Buffer): Buffer {
  if (request.length > MAX_REQUEST_BYTES) throw new RangeError('the reflection request is too large');
  const asked = readLastField(request);
  return Buffer.concat([bytesField(2, request), answerTo(asked)]);
}

function answerTo({ number, value }: { readonly number: number; readonly value: string }): Buffer {
  if (number === LIST_SERVICES) {
    const services = [apiFile.service, ...REFLECTION_SERVICES];
    return bytesField(6, Buffer.concat(services.map((name) => bytesField(1, bytesField(1, Buffer.from(name))))));
  }
  const isFile = number === FILE_BY_NAME && value === apiFile.name;
  const isSymbol = number === FILE_BY_SYMBOL && apiFile.symbols.has(value);
  if (isFile || isSymbol) return bytesField(4, bytesField(1, apiFile.descriptor));
  const message = Buffer.from('not found');
  return bytesField(7, Buffer.concat([Buffer.from([1 << 3, status.NOT_FOUND]), bytesField(2, message)]));
}

/** The question of a request: its last field but the host; all of them are length-delimited. */
function readLastField(bytes: Buffer): { number: number; value: string } {
  let last = { number: 0, value: '' };
  for (let at = 0; at < bytes.length;) {
    const tag = readVarint(bytes, at);
    const length = readVarint(bytes, tag.end);
    const end = length.end + length.value;
    if ((tag.value & 7) !== 2 || end > bytes.length) throw new RangeError('not a reflection request');
    if (tag.value >>> 3 !== 1) last = { number: tag.value >>> 3, value: bytes.toString('utf8', length.end, end) };
    at = end;
  }
  return last;
}

function readVarint(bytes: Buffer, start: number): { value: number; end: number } {
  let value = 0;
  for (let at = start; at < Math.min(bytes.length, start + 4); at++) {
    const byte = bytes[at] ?? 0;
    value |= (byte & 0x7f) << (7 * (at - start));
    if (byte < 0x80) return { value, end: at + 1 };
  }
  throw new RangeError('not a reflection request');
}

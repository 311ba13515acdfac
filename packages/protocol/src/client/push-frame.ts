import { withoutNewlines } from '../wire/raw-json.ts';
import { clientInfoCodec, replyCodec } from './client-messages.ts';
import type { ClientCodec } from './codec.ts';
import type { Publication } from './frames.ts';

// The hot path: a publication push is encoded once per encoding and form, then the same bytes go to every subscriber.

export interface PublicationPushOptions {
  /**
   * `raw`: the payload stands in JSON as it is. `string`: it stands there as a JSON string, which is what subscribers who
   * negotiated delta expect of every publication (§5.2 D1). No difference in Protobuf.
   */
  readonly dataForm: 'raw' | 'string';
  /** The payload is a patch. */
  readonly delta: boolean;
}

/**
 * The frame of one publication push, equal byte for byte to what the codec's `encodeReply` gives. For JSON the caller
 * must know that a raw payload is JSON (J9); which fields a delta copy leaves out (§5.2 D4) is the caller's choice too.
 */
export function encodePublicationPush(
  kind: ClientCodec['kind'],
  channel: string,
  publication: Publication,
  options: PublicationPushOptions,
): Uint8Array {
  if (kind === 'protobuf') {
    const pub = options.delta ? { ...publication, delta: true } : publication;
    return replyCodec.writeDelimited({ push: { channel, pub } });
  }
  return jsonPush(channel, publication, options);
}

function jsonPush(channel: string, publication: Publication, options: PublicationPushOptions): Uint8Array {
  const data = publication.data?.length === 0 ? undefined : publication.data;
  const info = publication.info === undefined ? undefined : clientInfoCodec.writeJson(publication.info);
  const head = channel === '' ? '{"push":{"pub":{' : `{"push":{"channel":${quoted(channel)},"pub":{`;
  const beforeData = data === undefined ? head : `${head}"data":`;
  const tail = tailMembers(publication, options.delta);
  if (options.dataForm === 'string' && data !== undefined) {
    return joined(beforeData + quoted(utf8(data)), undefined, afterData(true, info, tail), info);
  }
  return joined(beforeData, data && withoutNewlines(data), afterData(data !== undefined, info, tail), info);
}

/** What stands between payload and info, and what stands after the info. */
interface AfterData {
  readonly beforeInfo: string;
  readonly end: string;
}

function afterData(hasData: boolean, info: Uint8Array | undefined, tail: string): AfterData {
  // Each member of the tail brings its comma along; the first member of all must not have one.
  const members = !hasData && info === undefined ? tail.slice(1) : tail;
  if (info === undefined) return { beforeInfo: '', end: `${members}}}}` };
  return { beforeInfo: hasData ? ',"info":' : '"info":', end: `${members}}}}` };
}

function joined(
  head: string,
  data: Uint8Array | undefined,
  after: AfterData,
  info: Uint8Array | undefined,
): Uint8Array {
  if (data === undefined && info === undefined) return new Uint8Array(Buffer.from(head + after.end));
  const parts: Uint8Array[] = [Buffer.from(head)];
  if (data !== undefined) parts.push(data);
  if (info !== undefined) parts.push(Buffer.from(after.beforeInfo), info);
  parts.push(Buffer.from(after.end));
  return concatenated(parts);
}

function concatenated(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const frame = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    frame.set(part, at);
    at += part.length;
  }
  return frame;
}

/** The members after data and info, each with a comma before it. */
function tailMembers(publication: Publication, isPatch: boolean): string {
  const { offset, tags, time, channel, key, removed, score, epoch, version } = publication;
  let tail = offset ? `,"offset":${offset}` : '';
  if (tags !== undefined) tail += tagsMember(tags);
  if (isPatch || publication.delta === true) tail += ',"delta":true';
  if (time) tail += `,"time":${time}`;
  if (channel) tail += `,"channel":${quoted(channel)}`;
  if (key) tail += `,"key":${quoted(key)}`;
  if (removed === true) tail += ',"removed":true';
  if (score) tail += `,"score":${score}`;
  if (epoch) tail += `,"epoch":${quoted(epoch)}`;
  return version ? `${tail},"version":${version}` : tail;
}

function tagsMember(tags: Readonly<Record<string, string>>): string {
  let members = '';
  for (const key of Object.keys(tags)) members += `,${quoted(key)}:${quoted(tags[key] ?? '')}`;
  return members === '' ? '' : `,"tags":{${members.slice(1)}}`;
}

function quoted(text: string): string {
  return JSON.stringify(text.toWellFormed());
}

function utf8(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

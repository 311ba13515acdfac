import { ByteSink } from '../wire/byte-sink.ts';
import { escapedJsonString, withoutNewlines } from '../wire/raw-json.ts';
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

/** Scratch memory, empty between calls: encoding never waits. */
const sink = new ByteSink();

function jsonPush(channel: string, publication: Publication, options: PublicationPushOptions): Uint8Array {
  const { data, info } = publication;
  const hasData = data !== undefined && data.length > 0;
  sink.reset();
  const head = channel === '' ? '{"push":{"pub":{' : `{"push":{"channel":${escapedJsonString(channel)},"pub":{`;
  sink.text(hasData ? `${head}"data":` : head);
  if (hasData) {
    if (options.dataForm === 'string') sink.text(escapedJsonString(utf8(data)));
    else sink.append(withoutNewlines(data));
  }
  if (info !== undefined) {
    sink.text(hasData ? ',"info":' : '"info":');
    sink.append(clientInfoCodec.writeJson(info));
  }
  // Each member of the tail brings its comma along; the first member of all must not have one.
  const tail = tailMembers(publication, options.delta);
  sink.text(`${hasData || info !== undefined ? tail : tail.slice(1)}}}}`);
  return sink.take();
}

/** The members after data and info, each with a comma before it. */
function tailMembers(publication: Publication, isPatch: boolean): string {
  const { offset, tags, time, channel, key, removed, score, epoch, version } = publication;
  let tail = offset ? `,"offset":${offset}` : '';
  if (tags !== undefined) tail += tagsMember(tags);
  if (isPatch || publication.delta === true) tail += ',"delta":true';
  if (time) tail += `,"time":${time}`;
  if (channel) tail += `,"channel":${escapedJsonString(channel)}`;
  if (key) tail += `,"key":${escapedJsonString(key)}`;
  if (removed === true) tail += ',"removed":true';
  if (score) tail += `,"score":${score}`;
  if (epoch) tail += `,"epoch":${escapedJsonString(epoch)}`;
  return version ? `${tail},"version":${version}` : tail;
}

function tagsMember(tags: Readonly<Record<string, string>>): string {
  let members = '';
  for (const key of Object.keys(tags)) members += `,${escapedJsonString(key)}:${escapedJsonString(tags[key] ?? '')}`;
  return members === '' ? '' : `,"tags":{${members.slice(1)}}`;
}

function utf8(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

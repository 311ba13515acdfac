import type { TemplatedApp } from 'uWebSockets.js';
import { type ClientCodec, jsonCodec, protobufCodec } from '@carillon/protocol/client';
import type { EdgeContext } from './edge-context.ts';
import { mountStream, STREAM_HEADERS } from './stream/mount-stream.ts';
import { SharedChunks } from './stream/shared-chunks.ts';
import type { StreamVariant } from './stream/stream-connection.ts';
import { LINE_FRAMING, NO_FRAMING } from './stream/framings.ts';

/** Bidirectional HTTP streaming (client-protocol §1.4): the body is the first frame, the rest comes by emulation. */
export function mountHttpStream(app: TemplatedApp, context: EdgeContext): void {
  const json = variant(jsonCodec);
  const protobuf = variant(protobufCodec);
  mountStream(app, {
    context,
    settings: context.settings.httpStream,
    hasPreflight: true,
    variant: (contentType) => (contentType === 'application/octet-stream' ? protobuf : json),
    frameFromBody: (body) => body,
  });
}

function variant(codec: ClientCodec): StreamVariant {
  const isJson = codec.kind === 'json';
  return {
    traits: {
      name: 'http_stream',
      encoding: codec.kind,
      form: codec.kind,
      unidirectional: false,
      emulated: true,
      applicationPing: true,
      topics: false,
    },
    chunks: new SharedChunks(isJson ? LINE_FRAMING : NO_FRAMING),
    // compat: what net/http of Go finds by looking at the first bytes.
    headers: [...STREAM_HEADERS, ['Content-Type', isJson ? 'text/plain; charset=utf-8' : 'application/octet-stream']],
    opening: undefined,
    encodeDisconnect: (code, reason) => codec.encodeReply({ push: { disconnect: { code, reason } } }),
    refusals: undefined,
  };
}

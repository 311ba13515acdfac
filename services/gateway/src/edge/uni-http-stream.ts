import type { TemplatedApp } from 'uWebSockets.js';
import { jsonCodec } from '@carillon/protocol/client';
import type { EdgeContext } from './edge-context.ts';
import { connectRequestFromBody } from './stream/connect-request.ts';
import { LINE_FRAMING } from './stream/framings.ts';
import { mountStream, STREAM_HEADERS } from './stream/mount-stream.ts';
import { SharedChunks } from './stream/shared-chunks.ts';
import type { StreamVariant } from './stream/stream-connection.ts';

/** Unidirectional HTTP streaming (client-protocol §1.8). */
export function mountUniHttpStream(app: TemplatedApp, context: EdgeContext): void {
  const settings = context.settings.uniHttpStream;
  const variant: StreamVariant = {
    traits: {
      name: 'uni_http_stream',
      encoding: 'json',
      form: 'uni_json',
      unidirectional: true,
      emulated: false,
      applicationPing: true,
      topics: false,
    },
    chunks: new SharedChunks(LINE_FRAMING),
    // compat: what net/http of Go finds by looking at the first bytes.
    headers: [...STREAM_HEADERS, ['Content-Type', 'text/plain; charset=utf-8']],
    opening: undefined,
    encodeDisconnect: (code, reason) => jsonCodec.encodePush({ disconnect: { code, reason } }),
    refusals: settings.connectCodeToHttpResponse,
  };
  mountStream(app, {
    context,
    settings,
    hasPreflight: true,
    variant: () => variant,
    frameFromBody: (body) => {
      const request = connectRequestFromBody(body);
      return request === 'malformed' ? 400 : request;
    },
  });
}

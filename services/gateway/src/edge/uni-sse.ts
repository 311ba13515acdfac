import type { TemplatedApp } from 'uWebSockets.js';
import { jsonCodec } from '@carillon/protocol/client';
import type { EdgeContext } from './edge-context.ts';
import { connectRequestFromBody, connectRequestFromQuery, EMPTY_CONNECT_REQUEST } from './stream/connect-request.ts';
import { EVENT_FRAMING, EVENT_STREAM_OPENING } from './stream/framings.ts';
import { mountStream, STREAM_HEADERS } from './stream/mount-stream.ts';
import { SharedChunks } from './stream/shared-chunks.ts';
import type { StreamVariant } from './stream/stream-connection.ts';

/** Unidirectional server-sent events (client-protocol §1.8). */
export function mountUniSse(app: TemplatedApp, context: EdgeContext): void {
  const settings = context.settings.uniSse;
  const variant: StreamVariant = {
    traits: {
      name: 'uni_sse',
      encoding: 'json',
      form: 'uni_json',
      unidirectional: true,
      emulated: false,
      applicationPing: true,
      topics: false,
    },
    chunks: new SharedChunks(EVENT_FRAMING),
    headers: [...STREAM_HEADERS, ['Content-Type', 'text/event-stream; charset=utf-8']],
    opening: EVENT_STREAM_OPENING,
    encodeDisconnect: (code, reason) => jsonCodec.encodePush({ disconnect: { code, reason } }),
    refusals: settings.connectCodeToHttpResponse,
  };
  mountStream(app, {
    context,
    settings,
    hasPreflight: false,
    variant: () => variant,
    frameFromQuery: (query) => {
      const request = connectRequestFromQuery(query);
      if (request === 'malformed') return 400;
      return request === 'absent' ? EMPTY_CONNECT_REQUEST : request;
    },
    frameFromBody: (body) => {
      const request = connectRequestFromBody(body);
      return request === 'malformed' ? 400 : request;
    },
  });
}

import type { TemplatedApp } from 'uWebSockets.js';
import { jsonCodec } from '@carillon/protocol/client';
import type { EdgeContext } from './edge-context.ts';
import { connectParameter } from './stream/connect-request.ts';
import { EVENT_FRAMING, EVENT_STREAM_OPENING } from './stream/framings.ts';
import { mountStream, STREAM_HEADERS } from './stream/mount-stream.ts';
import { SharedChunks } from './stream/shared-chunks.ts';
import type { StreamVariant } from './stream/stream-connection.ts';

/** Bidirectional server-sent events (client-protocol §1.5): the connect command comes in the query or the body. */
export function mountSse(app: TemplatedApp, context: EdgeContext): void {
  const variant: StreamVariant = {
    traits: {
      name: 'sse',
      encoding: 'json',
      form: 'json',
      unidirectional: false,
      emulated: true,
      applicationPing: true,
      topics: false,
    },
    chunks: new SharedChunks(EVENT_FRAMING),
    headers: [...STREAM_HEADERS, ['Content-Type', 'text/event-stream; charset=utf-8']],
    opening: EVENT_STREAM_OPENING,
    encodeDisconnect: (code, reason) => jsonCodec.encodeReply({ push: { disconnect: { code, reason } } }),
    refusals: undefined,
  };
  mountStream(app, {
    context,
    settings: context.settings.sse,
    hasPreflight: false,
    variant: () => variant,
    frameFromQuery: (query) => {
      const frame = connectParameter(query);
      return frame === '' ? 400 : new TextEncoder().encode(frame);
    },
    frameFromBody: (body) => body,
  });
}

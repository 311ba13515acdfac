import type { HttpRequest, TemplatedApp } from 'uWebSockets.js';
import { jsonCodec } from '@carillon/protocol/client';
import type { EdgeContext } from './edge-context.ts';
import { rawQuery } from './http/raw-query.ts';
import { connectRequestFromBody, connectRequestFromQuery } from './stream/connect-request.ts';
import { decompressedLimit, mountWebsocket, type Negotiated } from './ws/mount-websocket.ts';
import type { WsEndpoint } from './ws/ws-connection.ts';

/** Unidirectional WebSocket (client-protocol §1.8): JSON pushes down, one connect request up. */
export function mountUniWebsocket(app: TemplatedApp, context: EdgeContext): void {
  const settings = context.settings.uniWebsocket;
  const endpoint: WsEndpoint = {
    context,
    traits: {
      name: 'uni_websocket',
      encoding: 'json',
      form: 'uni_json',
      unidirectional: true,
      emulated: false,
      applicationPing: true,
      topics: true,
    },
    codec: jsonCodec,
    messageSizeLimit: settings.messageSizeLimit,
    decompressedMessageSizeLimit: decompressedLimit(settings),
    compressFrom: settings.compression ? settings.compressionMinSize : Number.POSITIVE_INFINITY,
    joinsMessages: settings.joinPushMessages,
    readsFirstOnly: true,
    acceptsFirst: (message) => connectRequestFromBody(message) !== 'malformed',
    usesFramePings: true,
    encodeDisconnect: settings.disableDisconnectPush
      ? undefined
      : (code, reason) => jsonCodec.encodePush({ disconnect: { code, reason } }),
    hasClosingHandshake: !settings.disableClosingHandshake,
    writeTimeoutMs: settings.writeTimeoutMs,
  };
  mountWebsocket(app, context, settings, (req) => negotiate(req, endpoint));
}

/** Without a connect request in the query, or with `null`, the first message is one. */
function negotiate(req: HttpRequest, endpoint: WsEndpoint): Negotiated | 'malformed' {
  const request = connectRequestFromQuery(rawQuery(req));
  if (request === 'malformed') return 'malformed';
  return { endpoint, subprotocol: '', firstFrame: request === 'absent' ? undefined : request };
}

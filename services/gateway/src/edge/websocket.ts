import type { HttpRequest, TemplatedApp } from 'uWebSockets.js';
import { type ClientCodec, jsonCodec, protobufCodec } from '@carillon/protocol/client';
import type { EdgeContext } from './edge-context.ts';
import type { TransportTraits } from './socket.ts';
import { decompressedLimit, mountWebsocket, type Negotiated } from './ws/mount-websocket.ts';
import type { WsEndpoint } from './ws/ws-connection.ts';

/** Bidirectional WebSocket (client-protocol §1.3). */

const SUBPROTOCOLS: ReadonlyMap<string, TransportTraits['encoding']> = new Map([
  ['centrifuge-json', 'json'],
  ['centrifuge-protobuf', 'protobuf'],
]);

/** The four kinds of connection: two encodings, with pings of the application or of WebSocket. */
interface Variants {
  readonly json: WsEndpoint;
  readonly jsonFramePings: WsEndpoint;
  readonly protobuf: WsEndpoint;
  readonly protobufFramePings: WsEndpoint;
}

export function mountBidirectionalWebsocket(app: TemplatedApp, context: EdgeContext): void {
  const variants: Variants = {
    json: variant(context, jsonCodec, false),
    jsonFramePings: variant(context, jsonCodec, true),
    protobuf: variant(context, protobufCodec, false),
    protobufFramePings: variant(context, protobufCodec, true),
  };
  mountWebsocket(app, context, context.settings.websocket, (req) => negotiate(req, variants));
}

/** client-protocol §1.3.1. */
function negotiate(req: HttpRequest, variants: Variants): Negotiated {
  const subprotocol = selectSubprotocol(req.getHeader('sec-websocket-protocol'));
  const isProtobuf =
    SUBPROTOCOLS.get(subprotocol) === 'protobuf' ||
    req.getQuery('format') === 'protobuf' ||
    req.getQuery('cf_protocol') === 'protobuf';
  const usesFramePings = req.getQuery('cf_ws_frame_ping_pong') === 'true';
  if (isProtobuf) {
    return { endpoint: usesFramePings ? variants.protobufFramePings : variants.protobuf, subprotocol };
  }
  return { endpoint: usesFramePings ? variants.jsonFramePings : variants.json, subprotocol };
}

/** The first of the client's list that we know; '' for none. */
function selectSubprotocol(offered: string): string {
  if (offered === '') return '';
  for (const item of offered.split(',')) {
    const name = item.trim();
    if (SUBPROTOCOLS.has(name)) return name;
  }
  return '';
}

function variant(context: EdgeContext, codec: ClientCodec, usesFramePings: boolean): WsEndpoint {
  const settings = context.settings.websocket;
  return {
    context,
    traits: {
      name: 'websocket',
      encoding: codec.kind,
      form: codec.kind,
      unidirectional: false,
      emulated: false,
      applicationPing: !usesFramePings,
      topics: true,
    },
    codec,
    messageSizeLimit: settings.messageSizeLimit,
    decompressedMessageSizeLimit: decompressedLimit(settings),
    compressFrom: settings.compression ? settings.compressionMinSize : Number.POSITIVE_INFINITY,
    joinsMessages: true,
    readsFirstOnly: false,
    usesFramePings,
    encodeDisconnect: undefined,
    hasClosingHandshake: true,
    writeTimeoutMs: settings.writeTimeoutMs,
  };
}

import { bool, duration, type FieldsOf, group, type GroupField, int, items, port, text } from './field.ts';
import { tls, type TlsConfig } from './tls.ts';

/** `websocket`. Sizes in bytes. `decompressedMessageSizeLimit` 0 means ten times `messageSizeLimit`. */
export interface WebsocketConfig extends WebsocketTuning {
  readonly disabled: boolean;
  readonly handlerPrefix: string;
}
export interface WebsocketTuning {
  readonly compression: boolean;
  readonly compressionMinSize: number;
  readonly compressionLevel: number;
  readonly readBufferSize: number;
  readonly writeBufferSize: number;
  readonly useWriteBufferPool: boolean;
  readonly writeTimeoutMs: number;
  readonly messageSizeLimit: number;
  readonly decompressedMessageSizeLimit: number;
}
export interface UniWebsocketConfig extends WebsocketTuning {
  readonly enabled: boolean;
  readonly handlerPrefix: string;
  readonly disableClosingHandshake: boolean;
  readonly disableDisconnectPush: boolean;
  readonly joinPushMessages: boolean;
}
/** `sse`, `http_stream`. */
export interface StreamTransportConfig {
  readonly enabled: boolean;
  readonly handlerPrefix: string;
  readonly maxRequestBodySize: number;
}
export interface ConnectCodeResponse {
  readonly code: number;
  readonly to: { readonly statusCode: number; readonly body: string };
}
/** `uni_sse`, `uni_http_stream`. */
export interface UniStreamConfig extends StreamTransportConfig {
  readonly connectCodeToHttpResponse: {
    readonly enabled: boolean;
    readonly transforms: readonly ConnectCodeResponse[];
  };
}
export interface EmulationConfig {
  readonly handlerPrefix: string;
  readonly maxRequestBodySize: number;
}
export interface WebtransportConfig {
  readonly enabled: boolean;
  readonly handlerPrefix: string;
  readonly messageSizeLimit: number;
}
export interface UniGrpcConfig {
  readonly enabled: boolean;
  readonly address: string;
  readonly port: number;
  readonly maxReceiveMessageSize: number;
  readonly tls: TlsConfig;
}

const enabled = bool('Turns the transport on.');
const path = (fallback: string) => text('Path.', fallback);
const bodySize = int('Largest request body, in bytes.', 65_536);

const tuning: FieldsOf<WebsocketTuning> = {
  compression: bool('Offer permessage-deflate.'),
  compressionMinSize: int('Smallest message to compress, in bytes.'),
  compressionLevel: int(
    'What compression may cost: 1 shares one compressor between all connections; 2 to 9 give each connection its own, of 3, 4, 8, 16, 32, 64, 128 or 256 KiB, which compresses better.',
    1,
  ),
  readBufferSize: int('No effect: connections share the buffers of the server.'),
  writeBufferSize: int('No effect: connections share the buffers of the server.'),
  useWriteBufferPool: bool('No effect: connections share the buffers of the server.'),
  writeTimeoutMs: duration(
    'A client that takes nothing of what waits for it for so long is slow: it is closed with 3008.',
    '1s',
  ),
  messageSizeLimit: int('Largest incoming message, in bytes.', 65_536),
  decompressedMessageSizeLimit: int('Largest incoming message after decompression; 0 is ten times the above.'),
};

export const websocket: GroupField<FieldsOf<WebsocketConfig>> = group('Bidirectional WebSocket.', {
  disabled: bool('Turns the transport off.'),
  handlerPrefix: path('/connection/websocket'),
  ...tuning,
});
export const uniWebsocket: GroupField<FieldsOf<UniWebsocketConfig>> = group('Unidirectional WebSocket.', {
  enabled,
  handlerPrefix: path('/connection/uni_websocket'),
  ...tuning,
  disableClosingHandshake: bool('Close without the closing handshake.'),
  disableDisconnectPush: bool('Do not send a disconnect push before closing.'),
  joinPushMessages: bool('Several pushes may share one message.'),
});

const stream = (doc: string, prefix: string): GroupField<FieldsOf<StreamTransportConfig>> =>
  group(doc, { enabled, handlerPrefix: path(prefix), maxRequestBodySize: bodySize });
const uniStream = (doc: string, prefix: string): GroupField<FieldsOf<UniStreamConfig>> =>
  group(doc, {
    enabled,
    handlerPrefix: path(prefix),
    maxRequestBodySize: bodySize,
    connectCodeToHttpResponse: group('Maps connect errors to HTTP answers.', {
      enabled: bool('Turns it on.'),
      transforms: items('Rows of the map.', {
        code: int('Error code to match.'),
        to: group('Answer.', { statusCode: int('HTTP status.'), body: text('Body.') }),
      }),
    }),
  });

export const sse: GroupField<FieldsOf<StreamTransportConfig>> = stream('Server-sent events.', '/connection/sse');
export const httpStream: GroupField<FieldsOf<StreamTransportConfig>> = stream(
  'HTTP streaming.',
  '/connection/http_stream',
);
export const uniSse: GroupField<FieldsOf<UniStreamConfig>> = uniStream(
  'Unidirectional server-sent events.',
  '/connection/uni_sse',
);
export const uniHttpStream: GroupField<FieldsOf<UniStreamConfig>> = uniStream(
  'Unidirectional HTTP streaming.',
  '/connection/uni_http_stream',
);
export const emulation: GroupField<FieldsOf<EmulationConfig>> = group(
  'Client to server part of server-sent events and HTTP streaming.',
  { handlerPrefix: path('/emulation'), maxRequestBodySize: bodySize },
);
export const webtransport: GroupField<FieldsOf<WebtransportConfig>> = group('WebTransport.', {
  enabled,
  handlerPrefix: path('/connection/webtransport'),
  messageSizeLimit: int('Largest incoming message, in bytes.', 65_536),
});
export const uniGrpc: GroupField<FieldsOf<UniGrpcConfig>> = group('Unidirectional GRPC.', {
  enabled,
  address: text('Address to listen on; empty is all.'),
  port: port('Port.', 11_000),
  maxReceiveMessageSize: int('Largest incoming message, in bytes; 0 is 4 MiB.'),
  tls: tls('TLS of the listener.'),
});

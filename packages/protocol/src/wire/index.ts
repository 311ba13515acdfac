export type { Wire } from './wire.ts';
export { decodeBase64 } from './base64.ts';
export { compileCodec, type CodecOptions, type MessageCodec } from './message-codec.ts';
export { grpcMethods, type GrpcMethod, type GrpcMethods } from './grpc-methods.ts';
export { MAX_MESSAGE_DEPTH, NULL_MESSAGE, type AlwaysPresent } from './message-plan.ts';
export { MAX_JSON_DEPTH } from './json-scanner.ts';
export { inByteOrder } from './json-writer.ts';
export { escapedJsonString, InvalidPayload, isJsonObject, isValidJson, withoutNewlines } from './raw-json.ts';

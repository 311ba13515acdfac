export * from './frames.ts';
export type { ClientCodec } from './codec.ts';
export { jsonCodec } from './json-codec.ts';
export { protobufCodec } from './protobuf-codec.ts';
export { codecFor, decodeReplies, encodeCommand, encodeCommands } from './client-side.ts';
export { decodeConnectRequest, decodeEmulationRequest, emulationFrame } from './emulation.ts';
export {
  encodeHistoryReply,
  encodePublications,
  type EncodedPublications,
  type HistoryReply,
} from './history-frame.ts';
export { encodePublicationPush, type PublicationPushOptions } from './push-frame.ts';
export { clientInfoCodec, pushCodec, uniStreamMethods } from './client-messages.ts';
export { areJsonPublications, hasJsonPayloads } from './json-payloads.ts';

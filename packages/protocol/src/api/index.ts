export * from './api-messages.ts';
export { apiFile, type ApiFile } from './api-file.ts';
export {
  apiErrorCodec,
  apiGrpcMethods,
  apiMethods,
  batchMethod,
  COMMERCIAL_METHODS,
  type ApiMethod,
  type ApiMethods,
  type ApiResponse,
  type BatchField,
} from './api-methods.ts';
export { legacyCommands, legacyReplyCodec, type LegacyCommand, type LegacyReply } from './legacy-commands.ts';
export { openApiDocument, type OpenApiDocument, type OpenApiOptions } from './open-api.ts';

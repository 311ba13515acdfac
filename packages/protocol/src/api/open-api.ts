import type { DescField, DescMessage } from '@bufbuild/protobuf';
import { ScalarType } from '@bufbuild/protobuf';
import { CentrifugoApi } from '../gen/api_pb.ts';
import { API_ALWAYS_PRESENT, apiMethods, batchMethod } from './api-methods.ts';

type Schema = Readonly<Record<string, unknown>>;

/** An OpenAPI 3.1 document, as an object that JSON can hold. */
export type OpenApiDocument = Readonly<Record<string, unknown>>;

export interface OpenApiOptions {
  /** Of the paths. Default: `/api`. */
  readonly prefix?: string | undefined;
  /** Of the server that serves them. */
  readonly version: string;
}

/**
 * The HTTP side of the server API (server-api.md §1, §7, §8) for people and generators of clients: a path for each
 * method of the table, with the JSON form of its messages.
 */
export function openApiDocument({ prefix = '/api', version }: OpenApiOptions): OpenApiDocument {
  const schemas = new Schemas();
  const paths: Record<string, Schema> = {};
  for (const { name, grpcName } of [batchMethod, ...Object.values(apiMethods)]) {
    const rpc = CentrifugoApi.methods.find((method) => method.name === grpcName);
    if (rpc === undefined) throw new Error(`the service has no method ${grpcName}`);
    paths[`/${name}`] = { post: operation(name, schemas.refTo(rpc.input), schemas.refTo(rpc.output)) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Carillon server API',
      version,
      description:
        'Every method is a POST with a JSON object. A failed method is answered with status 200 and an `error`, or with a status of its own where the error mode is `transport`.',
    },
    servers: [{ url: prefix === '' ? '/' : prefix }],
    security: [{ key: [] }, { authorization: [] }, { query: [] }],
    paths,
    components: {
      securitySchemes: {
        key: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
        authorization: {
          type: 'apiKey',
          in: 'header',
          name: 'Authorization',
          description: 'The word `apikey`, a space and the key.',
        },
        query: { type: 'apiKey', in: 'query', name: 'api_key' },
      },
      schemas: schemas.all(),
    },
  };
}

function operation(name: string, request: Schema, response: Schema): Schema {
  return {
    operationId: name,
    parameters: [
      {
        name: 'X-Centrifugo-Error-Mode',
        in: 'header',
        description: 'Whether an error is a status of the transport.',
        schema: { type: 'string', enum: ['transport'] },
      },
    ],
    requestBody: { required: true, content: { 'application/json': { schema: request } } },
    responses: {
      200: { description: 'The result, or an error.', content: { 'application/json': { schema: response } } },
      400: { description: 'The body is not JSON of this form.' },
      401: { description: 'No key, or a wrong one.' },
    },
  };
}

/** Schemas of the messages that are referred to, each once. */
class Schemas {
  readonly #found: Map<string, Schema> = new Map();

  refTo(message: DescMessage): Schema {
    if (!this.#found.has(message.name)) {
      // Before its fields are: a message may hold itself.
      this.#found.set(message.name, {});
      this.#found.set(message.name, this.#schemaOf(message));
    }
    return { $ref: `#/components/schemas/${message.name}` };
  }

  all(): Schema {
    return Object.fromEntries([...this.#found].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  #schemaOf(message: DescMessage): Schema {
    const properties = Object.fromEntries(message.fields.map((field) => [field.name, this.#fieldSchema(field)]));
    const always = API_ALWAYS_PRESENT[message.typeName];
    return { type: 'object', properties, ...(always === undefined ? {} : { required: always }) };
  }

  #fieldSchema(field: DescField): Schema {
    switch (field.fieldKind) {
      case 'message':
        return this.refTo(field.message);
      case 'list':
        return {
          type: 'array',
          items: field.listKind === 'message' ? this.refTo(field.message) : valueSchema(field.scalar),
        };
      case 'map':
        return {
          type: 'object',
          additionalProperties: field.mapKind === 'message' ? this.refTo(field.message) : valueSchema(field.scalar),
        };
      default:
        return valueSchema(field.scalar);
    }
  }
}

function valueSchema(scalar: ScalarType | undefined): Schema {
  switch (scalar) {
    case ScalarType.BOOL:
      return { type: 'boolean' };
    case ScalarType.STRING:
      return { type: 'string' };
    case ScalarType.DOUBLE:
      return { type: 'number', format: 'double' };
    case ScalarType.BYTES:
      return { description: 'Any JSON.' };
    case ScalarType.INT32:
      return { type: 'integer', format: 'int32' };
    case ScalarType.UINT32:
      return { type: 'integer', format: 'int32', minimum: 0 };
    case ScalarType.UINT64:
      return { type: 'integer', format: 'int64', minimum: 0 };
    default:
      return { type: 'integer', format: 'int64' };
  }
}

import { apiErrorCodec, batchMethod, type ApiResponse, type ErrorBody } from '@carillon/protocol/api';
import { API_ERRORS } from '@carillon/protocol/codes';
import type { ErrorMode } from '../config.ts';
import type { createBatch } from '../method/batch.ts';
import type { CallableMethod } from '../method/method-table.ts';
import { jsonAnswer, type Answer } from './answer.ts';

/** Answers a body that was read. Throws what the codecs throw: ProtocolViolation and InvalidPayload. */
export type Endpoint = (body: Uint8Array, errorMode: ErrorMode) => Promise<Answer>;

/** `POST {prefix}/{method}`. */
export function methodEndpoint({ wire, call }: CallableMethod): Endpoint {
  return async (body, errorMode) => {
    const response: ApiResponse<object> = await call(wire.request.readJson(body));
    if (errorMode === 'transport' && response.error !== undefined) return errorAnswer(response.error);
    return jsonAnswer(wire.response.writeJson(response));
  };
}

/** `POST {prefix}/batch`; the error mode does not concern it. */
export function batchEndpoint(run: ReturnType<typeof createBatch>): Endpoint {
  return async (body) => jsonAnswer(batchMethod.response.writeJson(await run(batchMethod.request.readJson(body))));
}

const STATUS_BY_CODE: ReadonlyMap<number, number> = new Map(API_ERRORS.map((row) => [row.code, row.httpStatus]));

function errorAnswer(error: ErrorBody): Answer {
  return jsonAnswer(apiErrorCodec.writeJson(error), STATUS_BY_CODE.get(error.code ?? 0) ?? 500);
}

import { apiErrorCodec, batchMethod, type ApiResponse, type ErrorBody } from '@carillon/protocol/api';
import { API_ERRORS } from '@carillon/protocol/codes';
import type { TraceContext } from '@carillon/service-kit/tracing';
import type { ErrorMode } from '../config.ts';
import type { RunBatch } from '../method/batch.ts';
import type { CallableMethod } from '../method/method-table.ts';
import { jsonAnswer, type Answer } from './answer.ts';
import { createResponseWriter } from './json/response-writer.ts';

/** What the headers of a request say beside who sent it. */
export interface RequestFacts {
  readonly errorMode: ErrorMode;
  /** The trace it belongs to; undefined also where nobody follows requests. */
  readonly trace: TraceContext | undefined;
}

/** Answers a body that was read. Throws what the codecs throw: ProtocolViolation and InvalidPayload. */
export type Endpoint = (body: Uint8Array, facts: RequestFacts) => Promise<Answer>;

/** `POST {prefix}/{method}`. */
export function methodEndpoint({ wire, call }: CallableMethod): Endpoint {
  const write = createResponseWriter(wire);
  return async (body, { errorMode, trace }) => {
    const response: ApiResponse<object> = await call(wire.request.readJson(body), trace);
    if (errorMode === 'transport' && response.error !== undefined) return errorAnswer(response.error);
    return jsonAnswer(write(response));
  };
}

/** `POST {prefix}/batch`; the error mode does not concern it. */
export function batchEndpoint(run: RunBatch): Endpoint {
  return async (body, { trace }) =>
    jsonAnswer(batchMethod.response.writeJson(await run(batchMethod.request.readJson(body), trace)));
}

const STATUS_BY_CODE: ReadonlyMap<number, number> = new Map(API_ERRORS.map((row) => [row.code, row.httpStatus]));

function errorAnswer(error: ErrorBody): Answer {
  return jsonAnswer(apiErrorCodec.writeJson(error), STATUS_BY_CODE.get(error.code ?? 0) ?? 500);
}

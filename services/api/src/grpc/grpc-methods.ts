import type { BatchRequest, BatchResponse } from '@carillon/protocol/api';
import { parseTraceparent, TRACEPARENT, type TraceContext } from '@carillon/service-kit/tracing';
import { status, type handleUnaryCall, type Metadata, type UntypedServiceImplementation } from '@grpc/grpc-js';
import type { ErrorMode } from '../config.ts';
import { createKeyComparison } from '../key-comparison.ts';
import { createBatch } from '../method/batch.ts';
import type { FollowCall } from '../method/follow/follow-calls.ts';
import type { CallableMethod, MethodTable } from '../method/method-table.ts';
import { absentMethod, API_SERVICE } from './absent-methods.ts';
import { statusOfError } from './grpc-error.ts';

export interface GrpcMethodsDeps {
  /** Empty: anybody may call. */
  readonly key: string;
  readonly errorMode: ErrorMode;
  readonly table: MethodTable;
  readonly follow: FollowCall;
  /** Told of answers that cannot be encoded or other bugs. */
  readonly onFailure: (error: unknown) => void;
}

type Unary = handleUnaryCall<object, object>;
type KeyCheck = (metadata: Metadata) => boolean;

const UNAUTHENTICATED = { code: status.UNAUTHENTICATED, details: 'unauthenticated' };

/** A handler for every method of the service; those that are absent, as whatever else is called, end with UNIMPLEMENTED. */
export function createGrpcMethods(deps: GrpcMethodsDeps): UntypedServiceImplementation {
  const isAdmitted = createKeyCheck(deps.key);
  const handlers: Record<string, Unary> = {};
  for (const [name, { path }] of Object.entries(API_SERVICE)) handlers[name] = guarded(absentMethod(path), isAdmitted);
  for (const [field, method] of deps.table) handlers[field] = unary(method, isAdmitted, deps);
  return { ...handlers, batch: batch(isAdmitted, deps) };
}

/** compat: the whole value is compared, so the scheme is in lower case and one space follows it (server-api §4). */
function createKeyCheck(key: string): KeyCheck {
  if (key === '') return () => true;
  const isExpected = createKeyComparison(`apikey ${key}`);
  return (metadata) => {
    const [given] = metadata.get('authorization');
    return given !== undefined && isExpected(given.toString());
  };
}

function guarded(answer: Unary, isAdmitted: KeyCheck): Unary {
  return (call, reply) => {
    if (isAdmitted(call.metadata)) answer(call, reply);
    else reply(UNAUTHENTICATED);
  };
}

function unary({ call: run }: CallableMethod, isAdmitted: KeyCheck, deps: GrpcMethodsDeps): Unary {
  const { errorMode, follow, onFailure } = deps;
  return (call, reply) => {
    if (!isAdmitted(call.metadata)) {
      reply(UNAUTHENTICATED);
      return;
    }
    const inStatus = errorMode === 'transport' || isTransportModeAsked(call.metadata);
    const trace = follow === undefined ? undefined : callTrace(call.metadata);
    run(call.request, trace).then((response) => {
      if (inStatus && response.error !== undefined) reply(statusOfError(response.error));
      else reply(null, response);
    }, onFailure);
  };
}

function batch(
  isAdmitted: KeyCheck,
  { table, follow, onFailure }: GrpcMethodsDeps,
): handleUnaryCall<BatchRequest, BatchResponse> {
  const run = createBatch({ table, protocol: 'grpc', follow });
  return (call, reply) => {
    if (!isAdmitted(call.metadata)) {
      reply(UNAUTHENTICATED);
      return;
    }
    const trace = follow === undefined ? undefined : callTrace(call.metadata);
    run(call.request, trace).then((response) => reply(null, response), onFailure);
  };
}

function callTrace(metadata: Metadata): TraceContext | undefined {
  const [given] = metadata.get(TRACEPARENT);
  return given === undefined ? undefined : parseTraceparent(given.toString());
}

function isTransportModeAsked(metadata: Metadata): boolean {
  return metadata.get('x-centrifugo-error-mode')[0] === 'transport';
}

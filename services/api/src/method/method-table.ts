import {
  apiMethods,
  COMMERCIAL_METHODS,
  type ApiMethod,
  type ApiResponse,
  type BatchField,
} from '@carillon/protocol/api';
import type { Clock } from '@carillon/service-kit';
import type { TraceContext } from '@carillon/service-kit/tracing';
import type { ApiMetrics, ApiProtocol } from '../metrics.ts';
import type { MethodHandler } from './method-deps.ts';
import type { MethodHandlers } from './method-handlers.ts';
import { toErrorBody, type ReportFailure } from './failure/to-error-body.ts';
import type { FollowCall } from './follow/follow-calls.ts';

/** A method as a transport has it. */
export interface CallableMethod {
  readonly wire: ApiMethod<object, object>;
  /**
   * Answers a request that `wire.request` has decoded. Never rejects: failures are in the answer. `parent` is where its
   * trace goes on, if it has one.
   */
  readonly call: (request: object, parent?: TraceContext) => Promise<ApiResponse<object>>;
}

/** In the order in which a batch command picks its method. */
export type MethodTable = ReadonlyMap<BatchField, CallableMethod>;

export interface MethodTableDeps {
  /** Absent ones are unknown to every transport. */
  readonly hasCommercialMethods: boolean;
  readonly handlers: MethodHandlers;
  readonly protocol: ApiProtocol;
  readonly metrics: ApiMetrics;
  readonly reportFailure: ReportFailure;
  readonly follow: FollowCall;
  readonly clock: Clock;
}

/**
 * All methods, measured and with their failures turned into answers. Both transports, batches and the legacy endpoint go
 * through it, so none can lack a method.
 */
export function createMethodTable(deps: MethodTableDeps): MethodTable {
  const all = Object.keys(apiMethods) as BatchField[];
  const fields = deps.hasCommercialMethods ? all : all.filter((field) => !COMMERCIAL_METHODS.has(field));
  return new Map(fields.map((field) => [field, callable(apiMethods[field], deps.handlers[field], deps)]));
}

function callable(
  wire: ApiMethod<object, object>,
  handle: MethodHandler<object, object>,
  { protocol, metrics, reportFailure, follow, clock }: MethodTableDeps,
): CallableMethod {
  const duration = metrics.duration(protocol, wire.name);
  return {
    wire,
    async call(request, parent) {
      const startedAt = clock.monotonic();
      const followed = follow?.({ protocol, method: wire.name, request, parent });
      try {
        const result = await handle(request, followed);
        followed?.end(undefined);
        return { result };
      } catch (failure) {
        const error = toErrorBody(failure, reportFailure);
        metrics.errors(protocol, wire.name, error.code ?? 0).inc();
        followed?.end(error);
        return { error };
      } finally {
        duration.observe((clock.monotonic() - startedAt) / 1_000);
      }
    },
  };
}

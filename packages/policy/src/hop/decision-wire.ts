import type { DecisionDisconnect, DecisionError, NoDecision } from '@carillon/protocol/cluster';

import type { Decision } from '../decision-service.ts';

/**
 * The part that all `…Decision` messages share. Exactly one field is set: `none` where the backend gave no result, an
 * `error` of code 0 where asking it failed; an `error` of the backend's that has no code comes with `none`.
 */
export interface WireDecision<Result> {
  readonly result?: Result | undefined;
  readonly error?: DecisionError | undefined;
  readonly disconnect?: DecisionDisconnect | undefined;
  readonly none?: NoDecision | undefined;
}

export function toWireDecision<Result>(decision: Decision<Result>): WireDecision<Result> {
  switch (decision.kind) {
    case 'result':
      return decision.result === undefined ? { none: {} } : { result: decision.result };
    case 'error': {
      const { code, message, temporary } = decision;
      return { error: { code, message, temporary }, none: code === 0 ? {} : undefined };
    }
    case 'disconnect':
      return { disconnect: { code: decision.code, reason: decision.reason } };
    case 'failed':
      return { error: { message: decision.reason } };
  }
}

export function fromWireDecision<Result>(wire: WireDecision<Result> | undefined): Decision<Result> {
  if (wire?.result !== undefined) return { kind: 'result', result: wire.result };
  if (wire?.error !== undefined) return fromError(wire.error, wire.none !== undefined);
  if (wire?.none !== undefined) return { kind: 'result', result: undefined };
  if (wire?.disconnect !== undefined) {
    const { code = 0, reason = '' } = wire.disconnect;
    return { kind: 'disconnect', code, reason };
  }
  return { kind: 'failed', reason: 'an answer without a decision' };
}

function fromError(
  { code = 0, message = '', temporary = false }: DecisionError,
  isOfBackend: boolean,
): Decision<never> {
  if (code === 0 && !isOfBackend) return { kind: 'failed', reason: message };
  return { kind: 'error', code, message, temporary };
}

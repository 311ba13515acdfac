import {
  fromWireDecision,
  toWireQuestion,
  type Ask,
  type Decision,
  type DecisionService,
  type WireDecision,
  type WireQuestion,
} from '@carillon/policy';
import type { DecideReply } from '@carillon/protocol/cluster';
import { systemClock, type Clock, type Log, type Metrics } from '@carillon/service-kit';

import type { PolicyQuestion } from './policy-instance.ts';
import { createPolicyClientMetrics } from './policy-metrics.ts';
import { PolicyPool, type PolicyFailure } from './policy-pool.ts';

export interface GrpcPolicyOptions {
  /** `host:port` of each instance of auth-policy; at least one. */
  readonly addresses: readonly string[];
  /** Questions in flight and waiting, over all instances; those beyond fail at once. */
  readonly maxInFlight: number;
  /** For one question: more than the time-out of any proxy, so that the better reason wins. */
  readonly deadlineMs: number;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clock?: Clock | undefined;
  readonly random?: (() => number) | undefined;
}

export interface GrpcPolicy extends DecisionService {
  /** Whether an instance takes questions now. */
  readonly isReady: () => boolean;
}

const FAILURE_REASON: Readonly<Record<PolicyFailure, string>> = {
  overloaded: 'too many questions wait for auth-policy',
  timeout: 'auth-policy did not answer in time',
  lost: 'the stream to auth-policy broke',
  no_instance: 'no instance of auth-policy is there',
};

/** Decisions by auth-policy, over one long-lived stream to each instance. Whatever goes wrong on the way is `failed`. */
export function createGrpcPolicy(options: GrpcPolicyOptions): GrpcPolicy {
  const { deadlineMs, clock = systemClock, random = Math.random } = options;
  const pool = new PolicyPool({ ...options, clock, random, metrics: createPolicyClientMetrics(options.metrics) });

  function asking<Message, Result>(
    put: (question: WireQuestion<Message>) => PolicyQuestion,
    take: (reply: DecideReply) => WireDecision<Result> | undefined,
  ): (ask: Ask<Message>) => Promise<Decision<Result>> {
    return async (ask) => {
      const outcome = await pool.ask(put(toWireQuestion(ask, deadlineMs)));
      if (typeof outcome === 'string') return { kind: 'failed', reason: FAILURE_REASON[outcome] };
      return fromWireDecision(take(outcome));
    };
  }

  return {
    connect: asking(
      (connect) => ({ connect }),
      (reply) => reply.connect,
    ),
    refresh: asking(
      (refresh) => ({ refresh }),
      (reply) => reply.refresh,
    ),
    subscribe: asking(
      (subscribe) => ({ subscribe }),
      (reply) => reply.subscribe,
    ),
    publish: asking(
      (publish) => ({ publish }),
      (reply) => reply.publish,
    ),
    subRefresh: asking(
      (subRefresh) => ({ subRefresh }),
      (reply) => reply.subRefresh,
    ),
    rpc: asking(
      (rpc) => ({ rpc }),
      (reply) => reply.rpc,
    ),
    mapPublish: asking(
      (mapPublish) => ({ mapPublish }),
      (reply) => reply.mapPublish,
    ),
    mapRemove: asking(
      (mapRemove) => ({ mapRemove }),
      (reply) => reply.mapRemove,
    ),
    isReady: () => pool.isReady,
    close: async () => pool.close(),
  };
}

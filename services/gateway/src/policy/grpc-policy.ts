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

import { lookupAddresses, type LookupAddresses } from './address-watch.ts';
import type { PolicyQuestion } from './policy-instance.ts';
import { createPolicyClientMetrics } from './policy-metrics.ts';
import { POLICY_FAILURE_REASON, PolicyPool } from './policy-pool.ts';
import { RemoteStream } from './remote-stream.ts';

export interface GrpcPolicyOptions {
  /** `host:port`, at least one. A name stands for all instances that it resolves to, now and later. */
  readonly addresses: readonly string[];
  /** Of addresses that name none. */
  readonly defaultPort?: number | undefined;
  /** Questions in flight and waiting, over all instances; those beyond fail at once. */
  readonly maxInFlight: number;
  /** For one question: more than the time-out of any proxy, so that the better reason wins. */
  readonly deadlineMs: number;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clock?: Clock | undefined;
  readonly random?: (() => number) | undefined;
  readonly lookup?: LookupAddresses | undefined;
}

export interface GrpcPolicy extends DecisionService {
  /** Another deadline for questions from now on, milliseconds. */
  setDeadline(deadlineMs: number): void;
  /** Whether an instance takes questions now. */
  readonly isReady: () => boolean;
}

/** Where auth-policy listens unless it is told otherwise. */
const DEFAULT_PORT = 10_100;

/** Decisions by auth-policy, over one long-lived stream to each instance. Whatever goes wrong on the way is `failed`. */
export function createGrpcPolicy(options: GrpcPolicyOptions): GrpcPolicy {
  const { clock = systemClock, random = Math.random, lookup = lookupAddresses } = options;
  const { defaultPort = DEFAULT_PORT } = options;
  const metrics = createPolicyClientMetrics(options.metrics);
  const pool = new PolicyPool({ ...options, defaultPort, clock, random, lookup, metrics });

  function asking<Message, Result>(
    put: (question: WireQuestion<Message>) => PolicyQuestion,
    take: (reply: DecideReply) => WireDecision<Result> | undefined,
  ): (ask: Ask<Message>) => Promise<Decision<Result>> {
    return async (ask) => {
      const outcome = await pool.ask(put(toWireQuestion(ask, pool.deadlineMs)));
      if (typeof outcome === 'string') return { kind: 'failed', reason: POLICY_FAILURE_REASON[outcome] };
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
    subscribeStream: (ask, listener) => {
      const { isBidirectional } = ask;
      const subscribeStream = { ...toWireQuestion(ask, pool.deadlineMs), bidirectional: isBidirectional };
      return new RemoteStream({ pool, question: { subscribeStream }, isBidirectional, listener });
    },
    setDeadline(deadlineMs) {
      pool.deadlineMs = deadlineMs;
    },
    isReady: () => pool.isReady,
    close: async () => pool.close(),
  };
}

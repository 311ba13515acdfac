import type { QuestionOptions } from './proxy-rule.ts';
import { decideSubscribe } from './decide-subscribe.ts';
import type { Decision } from '@carillon/policy';
import type { SubscribeRequest, SubscribeResponse, SubscribeResult } from '@carillon/protocol/proxy';

/** How the backend is asked for a stream and what its response means (proxy.md §6.7): as for `subscribe`, almost. */
export const decideSubscribeStream = {
  prepare: (message: SubscribeRequest, options: QuestionOptions): SubscribeRequest =>
    decideSubscribe.prepare(message, options),
  decide(response: SubscribeResponse): Decision<SubscribeResult> {
    const decision = decideSubscribe.decide(response);
    // compat: `temporary` is dropped here.
    return decision.kind === 'error' ? { ...decision, temporary: false } : decision;
  },
} as const;

import type { Ask, Decision, DecisionService, StreamAsk, StreamListener } from '@carillon/policy';
import { OperationalError, type Log } from '@carillon/service-kit';

import type { ProxyKind } from '../backend/backend.ts';
import type { ProxyRegistry } from '../proxy/proxy-registry.ts';
import { parentOf } from './ask-parent.ts';
import { noStream, openBackedStream, type BackedStream } from './backed-stream.ts';
import { decideConnect } from './decide-connect.ts';
import { decideMapPublish } from './decide-map-publish.ts';
import { decideMapRemove } from './decide-map-remove.ts';
import { decidePublish } from './decide-publish.ts';
import { decideRefresh } from './decide-refresh.ts';
import { decideRpc } from './decide-rpc.ts';
import { decideSubRefresh } from './decide-sub-refresh.ts';
import { decideSubscribe } from './decide-subscribe.ts';
import type { ProxyRule } from './proxy-rule.ts';

export interface DecisionMakerOptions {
  readonly registry: ProxyRegistry;
  readonly log: Log;
}

/** Decisions by the backends themselves, whose streams can be held back. */
export interface BackendDecisions extends DecisionService {
  subscribeStream(ask: StreamAsk, listener: StreamListener): BackedStream;
}

/** Asks the backends. Owns the registry: closing one closes the other. */
export function createDecisionMaker({ registry, log }: DecisionMakerOptions): BackendDecisions {
  /** One client gets an error for it; the others do not deserve the end of the process. */
  function reportBug(type: ProxyKind, error: unknown): void {
    log.error('a decision went wrong', { type, error });
  }

  async function decide<Message, Result>(
    rule: ProxyRule<Message, Result>,
    ask: Ask<Message>,
  ): Promise<Decision<Result>> {
    const endpoint = registry.find(rule.method.kind, ask.proxyName);
    if (endpoint === undefined) return { kind: 'failed', reason: `no proxy ${ask.proxyName} for ${rule.method.kind}` };
    try {
      const message = rule.prepare(ask.message, endpoint.options);
      const { origin } = ask;
      return rule.decide(await endpoint.backend.call({ method: rule.method, message, origin, parent: parentOf(ask) }));
    } catch (error) {
      if (error instanceof OperationalError) return { kind: 'failed', reason: `${error.code}: ${error.message}` };
      reportBug(rule.method.kind, error);
      return { kind: 'failed', reason: 'internal error' };
    }
  }

  return {
    connect: (ask) => decide(decideConnect, ask),
    refresh: (ask) => decide(decideRefresh, ask),
    subscribe: (ask) => decide(decideSubscribe, ask),
    publish: (ask) => decide(decidePublish, ask),
    subRefresh: (ask) => decide(decideSubRefresh, ask),
    rpc: (ask) => decide(decideRpc, ask),
    mapPublish: (ask) => decide(decideMapPublish, ask),
    mapRemove: (ask) => decide(decideMapRemove, ask),
    subscribeStream(ask, listener) {
      const endpoint = registry.find('subscribe_stream', ask.proxyName);
      if (endpoint === undefined) return noStream(`no proxy ${ask.proxyName} for subscribe_stream`);
      return openBackedStream({ endpoint, ask, listener, onBug: (error) => reportBug('subscribe_stream', error) });
    },
    close: () => registry.close(),
  };
}

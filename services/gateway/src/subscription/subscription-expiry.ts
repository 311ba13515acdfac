import type { Decision, DecisionService } from '@carillon/policy';
import { DISCONNECT_SUBSCRIPTION_EXPIRED, UNSUBSCRIBE_EXPIRED } from '@carillon/protocol/codes';
import type { SubRefreshResult } from '@carillon/protocol/proxy';
import type { Clock } from '@carillon/service-kit';
import { askOf, commonAskFields } from '../policy/ask.ts';
import { backendBytesOrMalformed } from '../policy/backend-bytes.ts';
import type { Deadlines } from '../session/deadlines.ts';
import type { Session } from '../session/session.ts';
import type { Subscription } from '../session/subscription.ts';
import type { Background } from './background.ts';
import type { RenewPresence } from './renew-presence.ts';

/** Watches subscriptions that expire; after the grace they end, or the backend is asked (client-protocol §3.11). */
export interface SubscriptionExpiry {
  /** (Re)starts the watch after `expireAt` was set or changed; 0 ends it. */
  watch(session: Session, subscription: Subscription): void;
}

export interface SubscriptionExpiryDeps {
  readonly deadlines: Deadlines;
  readonly decisions: DecisionService;
  readonly clock: Clock;
  readonly background: Background;
  readonly renewPresence: RenewPresence;
  /** client.expired_sub_close_delay, ms. */
  readonly closeDelayMs: () => number;
  readonly unsubscribe: (session: Session, channel: string, code: { code: number; reason: string }) => void;
  readonly disconnect: (session: Session, code: { code: number; reason: string }) => void;
}

/** How long a subscription lives on when its backend could not be asked, seconds (proxy.md §4). */
const RETRY_AFTER_S = 60;

export function createSubscriptionExpiry(deps: SubscriptionExpiryDeps): SubscriptionExpiry {
  function expire(session: Session, subscription: Subscription): void {
    if (subscription.isServerSide) deps.disconnect(session, DISCONNECT_SUBSCRIPTION_EXPIRED);
    else deps.unsubscribe(session, subscription.channel, UNSUBSCRIBE_EXPIRED);
  }

  async function askBackend(session: Session, subscription: Subscription): Promise<void> {
    const { channel, options } = subscription;
    const message = { ...commonAskFields(session), channel };
    const decision = await deps.decisions.subRefresh(askOf(session, options.subRefreshProxyName, message));
    if (session.subscriptions.get(channel) !== subscription) return;
    const nowS = deps.clock.now() / 1000;
    if (decision.kind === 'failed') {
      subscription.expireAt = Math.floor(nowS) + RETRY_AFTER_S;
    } else {
      const extension = extensionOf(decision, nowS);
      if (extension === 'expired') {
        expire(session, subscription);
        return;
      }
      subscription.expireAt = extension.expireAt;
      const before = subscription.info;
      subscription.info = extension.info ?? before;
      deps.renewPresence.subscription(session, subscription, before);
    }
    watch(session, subscription);
  }

  function watch(session: Session, subscription: Subscription): void {
    subscription.expiry?.cancel();
    subscription.expiry = undefined;
    if (subscription.expireAt <= 0) return;
    const delayMs = subscription.expireAt * 1000 + deps.closeDelayMs() - deps.clock.now();
    subscription.expiry = deps.deadlines.schedule(delayMs, () => {
      if (session.isClosed || session.subscriptions.get(subscription.channel) !== subscription) return;
      if (subscription.refresh === 'server') deps.background(askBackend(session, subscription), 'sub refresh');
      else expire(session, subscription);
    });
  }

  return { watch };
}

interface Extension {
  readonly expireAt: number;
  readonly info: Uint8Array | undefined;
}

/** compat: error and disconnect of the backend count as expired, and so does an answer that makes no sense (proxy.md §6.5). */
function extensionOf(decision: Decision<SubRefreshResult>, nowS: number): Extension | 'expired' {
  const result = decision.kind === 'result' ? decision.result : undefined;
  if (result === undefined || result.expired === true) return 'expired';
  const expireAt = result.expireAt ?? 0;
  const info = backendBytesOrMalformed(result.b64info, result.info);
  if (info === 'malformed' || (expireAt > 0 && expireAt <= nowS)) return 'expired';
  return { expireAt, info };
}

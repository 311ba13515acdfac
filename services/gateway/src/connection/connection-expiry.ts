import { createCapabilities, type Decision, type DecisionService } from '@carillon/policy';
import { DISCONNECT_EXPIRED, DISCONNECT_SERVER_ERROR, type DisconnectCode } from '@carillon/protocol/codes';
import type { RefreshResult } from '@carillon/protocol/proxy';
import type { Clock } from '@carillon/service-kit';
import { askOf, commonAskFields } from '../policy/ask.ts';
import { backendBytesOrMalformed } from '../policy/backend-bytes.ts';
import type { Identity } from '../session/identity.ts';
import type { Session } from '../session/session.ts';
import type { Background } from '../subscription/background.ts';
import type { RenewPresence } from '../subscription/renew-presence.ts';
import type { CloseConnection } from './close-connection.ts';
import type { ConnectionTimers } from './connection-timers.ts';
import type { WithdrawSubscriptions } from './withdraw-subscriptions.ts';

export interface ConnectionExpiryDeps {
  readonly decisions: DecisionService;
  readonly timers: () => ConnectionTimers;
  readonly close: () => CloseConnection;
  readonly refreshProxyEnabled: () => boolean;
  readonly withdrawSubscriptions: WithdrawSubscriptions;
  readonly renewPresence: RenewPresence;
  readonly clock: Clock;
  readonly background: Background;
}

/** How long a connection lives on when the backend could not be asked, seconds (proxy.md §4). */
const RETRY_AFTER_S = 60;

/** What happens when a connection's time is up: closed, or its backend is asked for more (client-protocol §3.10). */
export function createConnectionExpiry(deps: ConnectionExpiryDeps): (session: Session) => void {
  async function askBackend(session: Session): Promise<void> {
    const decision = await deps.decisions.refresh(askOf(session, 'default', commonAskFields(session)));
    const { identity } = session;
    if (session.isClosed || identity === undefined) return;
    const nowS = Math.floor(deps.clock.now() / 1000);
    if (decision.kind === 'failed') {
      session.identity = { ...identity, expireAt: nowS + RETRY_AFTER_S };
      deps.timers().watchExpiry(session, nowS + RETRY_AFTER_S, 0);
      return;
    }
    const extended = extend(identity, decision, nowS);
    if (!('user' in extended)) {
      deps.close().disconnect(session, extended);
      return;
    }
    session.identity = extended;
    deps.renewPresence.connection(session, identity.info);
    deps.timers().watchExpiry(session, extended.expireAt, 0);
    deps.withdrawSubscriptions(session);
  }

  return (session) => {
    if (deps.refreshProxyEnabled()) deps.background(askBackend(session), 'connection refresh');
    else deps.close().disconnect(session, DISCONNECT_EXPIRED);
  };
}

/** compat: error and disconnect of the backend count as expired, a new expiry is mandatory (proxy.md §6.2). */
function extend(identity: Identity, decision: Decision<RefreshResult>, nowS: number): Identity | DisconnectCode {
  const result = decision.kind === 'result' ? decision.result : undefined;
  const expireAt = result?.expireAt ?? 0;
  if (result === undefined || result.expired === true || expireAt <= nowS) return DISCONNECT_EXPIRED;
  const info = backendBytesOrMalformed(result.b64info, result.info);
  if (info === 'malformed') return DISCONNECT_SERVER_ERROR;
  return {
    ...identity,
    expireAt,
    info: info ?? identity.info,
    meta: result.meta ?? identity.meta,
    capabilities: result.caps === undefined ? identity.capabilities : createCapabilities(result.caps),
  };
}

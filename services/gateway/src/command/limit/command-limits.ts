import { LimitMeter, TokenBuckets, type BucketRule, type LimitedCommand, type LimitPlan } from '@carillon/policy';
import { parseChannel, type ChannelSyntax } from '@carillon/protocol/channel';
import type { Command } from '@carillon/protocol/client';
import { ClientError, TOO_MANY_REQUESTS } from '@carillon/protocol/codes';
import type { Clock } from '@carillon/service-kit';
import type { Session } from '../../session/session.ts';
import type { Method } from '../../session/method.ts';
import { UserMeters } from './user-meters.ts';

/** `client.rate_limit` worked out; undefined parts are switched off. */
export interface LimitSettings {
  readonly clientCommand: LimitPlan | undefined;
  readonly userCommand: LimitPlan | undefined;
  readonly clientErrors: readonly BucketRule[] | undefined;
}

/** Rate limits of this node: what connections and users have used. Each check costs the same however many there are. */
export interface CommandLimits {
  /** Counts a command of a connected session; throws error 111 over its limit. */
  check(session: Session, method: Method, command: Command): void;
  /** The same for a connect, as soon as the user is known. */
  checkConnect(user: string): void;
  /** Counts an error that a session was answered with. False over the limit. */
  mayGoOnAfterError(session: Session): boolean;
}

export interface CommandLimitsDeps {
  readonly settings: () => { readonly limits: LimitSettings; readonly channels: { readonly syntax: ChannelSyntax } };
  readonly clock: Clock;
}

interface ErrorMeter {
  readonly rules: readonly BucketRule[];
  readonly buckets: TokenBuckets;
}

export function createCommandLimits({ settings, clock }: CommandLimitsDeps): CommandLimits {
  // Weak: what a connection has used goes with its session.
  const clients = new WeakMap<Session, LimitMeter>();
  const errors = new WeakMap<Session, ErrorMeter>();
  const users = new UserMeters();

  function clientMeter(session: Session, plan: LimitPlan): LimitMeter {
    let meter = clients.get(session);
    // After a reload with other limits everybody starts anew.
    if (meter?.plan !== plan) clients.set(session, (meter = new LimitMeter(plan)));
    return meter;
  }

  return {
    check(session, method, command) {
      const { limits, channels } = settings();
      const { clientCommand, userCommand } = limits;
      if (clientCommand === undefined && userCommand === undefined) return;
      const limited = limitedCommand(method);
      if (limited === undefined) return;
      const nowMs = clock.monotonic();
      const charge = (meter: LimitMeter): void => {
        const { plan } = meter;
        const target = plan.hasOverrides(limited) ? targetOf(limited, command, channels.syntax) : '';
        const slot = plan.slotFor(limited, target);
        // Refused, it would cost more: SDKs take it for a broken connection and come back with all they had.
        if (limited === 'unsubscribe') meter.count(slot, nowMs);
        else if (!meter.take(slot, nowMs)) throw new ClientError(TOO_MANY_REQUESTS);
      };
      if (clientCommand !== undefined) charge(clientMeter(session, clientCommand));
      if (userCommand !== undefined && session.user !== '') charge(users.of(session.user, userCommand, nowMs));
    },
    checkConnect(user) {
      const { userCommand } = settings().limits;
      if (userCommand === undefined || user === '') return;
      const nowMs = clock.monotonic();
      const meter = users.of(user, userCommand, nowMs);
      if (!meter.take(userCommand.slotFor('connect', ''), nowMs)) throw new ClientError(TOO_MANY_REQUESTS);
    },
    mayGoOnAfterError(session) {
      const rules = settings().limits.clientErrors;
      if (rules === undefined) return true;
      let meter = errors.get(session);
      if (meter?.rules !== rules) errors.set(session, (meter = { rules, buckets: new TokenBuckets(rules) }));
      return meter.buckets.take(clock.monotonic());
    },
  };
}

function limitedCommand(method: Method): LimitedCommand | undefined {
  // Connects are counted when the user is known; the others have no meaning of their own (client-protocol §3.4).
  return method === 'connect' || method === 'ping' || method === 'send' ? undefined : method;
}

/** What overrides go by: the rpc method, or the namespace of the channel. */
function targetOf(limited: LimitedCommand, command: Command, syntax: ChannelSyntax): string {
  if (limited === 'rpc') return command.rpc?.method ?? '';
  const request = limited === 'connect' || limited === 'refresh' ? undefined : command[limited];
  return parseChannel(request?.channel ?? '', syntax).namespace;
}

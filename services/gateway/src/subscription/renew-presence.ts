import type { Presence } from '@carillon/cluster';
import type { Session } from '../session/session.ts';
import type { Subscription } from '../session/subscription.ts';
import type { Background } from './background.ts';

type Info = Uint8Array | undefined;

/**
 * Shows in presence what a client is known by since its connection or subscription was refreshed
 * (channels-and-config §2.5: entries are written again and again, so that a new info is seen).
 */
export interface RenewPresence {
  /** The connection's info changed from `before`, or did not. */
  connection(session: Session, before: Info): void;
  /** The subscription's info changed from `before`, or did not. */
  subscription(session: Session, subscription: Subscription, before: Info): void;
}

export interface RenewPresenceDeps {
  readonly presence: Pick<Presence, 'replace'>;
  readonly background: Background;
}

export function createRenewPresence({ presence, background }: RenewPresenceDeps): RenewPresence {
  function write(session: Session, { channel, isPresent, info }: Subscription): void {
    if (isPresent) background(presence.replace(channel, session.clientInfo(info)), 'presence replace');
  }

  return {
    connection(session, before) {
      if (isSame(before, session.identity?.info)) return;
      for (const subscription of session.subscriptions.values()) write(session, subscription);
    },
    subscription(session, subscription, before) {
      if (!isSame(before, subscription.info)) write(session, subscription);
    },
  };
}

function isSame(one: Info, other: Info): boolean {
  return Buffer.compare(one ?? Buffer.alloc(0), other ?? Buffer.alloc(0)) === 0;
}

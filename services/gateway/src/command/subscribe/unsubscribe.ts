import { Disconnect, DISCONNECT_BAD_REQUEST, DISCONNECT_SERVER_ERROR } from '@carillon/protocol/codes';
import { OperationalError, withDeadline, type Clock } from '@carillon/service-kit';
import type { EndSubscription } from '../../subscription/end-subscription.ts';
import { leftPresence } from '../../subscription/left-presence.ts';
import type { CommandHandler } from '../handler.ts';

export interface UnsubscribeDeps {
  readonly endSubscription: EndSubscription;
  readonly clock: Clock;
}

/** How long an unsubscribe waits for the channel's subscribe that is still in flight (client-protocol §3.4 C6). */
const SUBSCRIBE_WAIT_MS = 5000;

/** `unsubscribe`: fine for channels that were not subscribed, and for server-side ones. */
export function createUnsubscribe({ endSubscription, clock }: UnsubscribeDeps): CommandHandler {
  return (session, command) => {
    const channel = command.unsubscribe?.channel ?? '';
    if (channel === '') throw new Disconnect(DISCONNECT_BAD_REQUEST);
    const reply = (): void => session.reply(command.id ?? 0, { unsubscribe: {} });
    const finish = (): Promise<void> | undefined => {
      const leaving = leftPresence(endSubscription(session, channel), clock);
      if (leaving !== undefined) return leaving.then(reply);
      reply();
      return undefined;
    };
    const opening = session.opening.get(channel);
    if (opening === undefined) return finish();
    return withDeadline(opening, SUBSCRIBE_WAIT_MS, 'subscribe_in_flight', clock).then(finish, (error: unknown) => {
      if (error instanceof OperationalError) throw new Disconnect(DISCONNECT_SERVER_ERROR, { cause: error });
      throw error;
    });
  };
}

import type { SubscribePush } from '@carillon/protocol/client';
import type { OpenedState } from '../fanout/hub-port.ts';

/** What a client is told of a subscription that the server made (client-protocol §3.13). */
export function subscribePush(
  { recoverable, positioned, epoch, offset }: Pick<OpenedState, 'positioned' | 'recoverable' | 'epoch' | 'offset'>,
  data: Uint8Array | undefined,
): SubscribePush {
  return { recoverable, positioned, epoch, offset, data };
}

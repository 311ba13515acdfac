import type { ChannelFacts } from '@carillon/policy';
import type { SubscribeRequest } from '@carillon/protocol/client';
import type { SubscribeResult } from '@carillon/protocol/proxy';
import { askOf, commonAskFields, resultOf } from '../../policy/ask.ts';
import type { Session } from '../../session/session.ts';
import { ClientStream } from '../../subscription/client-stream.ts';
import type { UnsubscribeByServer } from '../../subscription/unsubscribe-by-server.ts';
import type { CommandDeps } from '../command-deps.ts';

export type StreamDeps = Pick<CommandDeps, 'decisions'> & { readonly unsubscribe: UnsubscribeByServer };

export interface StreamQuestion {
  readonly request: SubscribeRequest;
  readonly channel: ChannelFacts;
  readonly proxyName: string;
  readonly isBidirectional: boolean;
}

/** Opens the backend's stream for a subscription (proxy.md §6.7). Throws what the backend decided instead. */
export async function openClientStream(
  { decisions, unsubscribe }: StreamDeps,
  session: Session,
  { request, channel, proxyName, isBidirectional }: StreamQuestion,
): Promise<{ readonly stream: ClientStream; readonly result: SubscribeResult | undefined }> {
  const message = { ...commonAskFields(session), channel: channel.name, token: request.token, data: request.data };
  const ask = { ...askOf(session, proxyName, message), isBidirectional };
  const stream = new ClientStream({
    session,
    channel: channel.name,
    open: (listener) => decisions.subscribeStream(ask, listener),
    unsubscribe,
  });
  try {
    return { stream, result: resultOf(await stream.decision) };
  } catch (error) {
    stream.close();
    throw error;
  }
}

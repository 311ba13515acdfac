import type { Ask, Decision } from '@carillon/policy';
import { ClientError, Disconnect, INTERNAL_ERROR } from '@carillon/protocol/codes';
import type { Session } from '../session/session.ts';

/** Fields that every proxied request of a connection has (proxy.md §3.3). */
export interface CommonAskFields {
  readonly client: string;
  readonly transport: string;
  readonly protocol: string;
  readonly user: string;
  readonly meta: Uint8Array | undefined;
}

export function commonAskFields(session: Session): CommonAskFields {
  const { traits } = session.socket;
  return {
    client: session.id,
    transport: traits.name,
    protocol: traits.encoding,
    user: session.user,
    meta: session.identity?.meta,
  };
}

/** A question about the session to the proxy of that name. */
export function askOf<Message>(session: Session, proxyName: string, message: Message): Ask<Message> {
  const { headers, metadata } = session.socket.request;
  return { message, proxyName, origin: { headers, metadata, emulatedHeaders: session.emulatedHeaders } };
}

/** The backend's result, or what it told us to throw; a backend that failed is error 100 (proxy.md §4). */
export function resultOf<Result>(decision: Decision<Result>): Result | undefined {
  switch (decision.kind) {
    case 'result':
      return decision.result;
    case 'error':
      throw new ClientError(decision);
    case 'disconnect':
      throw new Disconnect(decision);
    case 'failed':
      throw new ClientError(INTERNAL_ERROR);
  }
}

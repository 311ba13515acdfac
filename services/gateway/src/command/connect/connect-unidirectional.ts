import { decodeConnectRequest, type ConnectRequest } from '@carillon/protocol/client';
import {
  type ClientError,
  Disconnect,
  DISCONNECT_BAD_REQUEST,
  DISCONNECT_EXPIRED,
  DISCONNECT_PERMISSION_DENIED,
  DISCONNECT_SERVER_ERROR,
  DISCONNECT_TOO_MANY_REQUESTS,
  ProtocolViolation,
  type DisconnectCode,
} from '@carillon/protocol/codes';
import type { Log } from '@carillon/service-kit';
import type { CloseConnection } from '../../connection/close-connection.ts';
import type { Session } from '../../session/session.ts';
import type { Connect } from './connect.ts';
import { documentedFailure } from '../dispatch.ts';

export interface ConnectUnidirectionalDeps {
  readonly connect: Connect;
  readonly close: CloseConnection;
  /** Configured answers by code of the connect error (client-protocol §1.8). */
  readonly transforms: () => ReadonlyMap<number, DisconnectCode>;
  readonly log: Log;
}

/** What a connect error becomes where nothing can be replied, by its code; everything else is 3004. */
const DISCONNECT_BY_ERROR: ReadonlyMap<number, DisconnectCode> = new Map([
  [109, DISCONNECT_EXPIRED],
  [110, DISCONNECT_EXPIRED],
  [111, DISCONNECT_TOO_MANY_REQUESTS],
  [103, DISCONNECT_PERMISSION_DENIED],
]);

/** Connects a unidirectional session from its connect request; the result is its first push. */
export function createConnectUnidirectional(
  deps: ConnectUnidirectionalDeps,
): (session: Session, frame: Uint8Array) => void {
  function refuse(session: Session, error: unknown): void {
    const failure = documentedFailure(error);
    if (failure instanceof Disconnect) {
      if (!(error instanceof Disconnect)) {
        deps.log.error('unidirectional connect threw', { client: session.id, error: String(error) });
      }
      if (session.socket.rejectWith?.(failure.code, failure.reason) === true) return;
      deps.close.disconnect(session, failure);
      return;
    }
    if (session.socket.rejectWith?.(failure.code, failure.message) === true) return;
    deps.close.disconnect(session, disconnectFor(failure, deps.transforms()));
  }

  return (session, frame) => {
    let request: ConnectRequest;
    try {
      request = decodeConnectRequest(frame, session.codec.kind);
    } catch (error) {
      if (!(error instanceof ProtocolViolation)) throw error;
      deps.close.disconnect(session, DISCONNECT_BAD_REQUEST);
      return;
    }
    deps
      .connect(session, request, (result) => session.push({ connect: result }))
      .catch((error: unknown) => refuse(session, error));
  };
}

function disconnectFor(error: ClientError, transforms: ReadonlyMap<number, DisconnectCode>): DisconnectCode {
  return transforms.get(error.code) ?? DISCONNECT_BY_ERROR.get(error.code) ?? DISCONNECT_SERVER_ERROR;
}

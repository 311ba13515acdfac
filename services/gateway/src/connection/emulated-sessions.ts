import type { SocketListener, TransportName } from '../edge/socket.ts';

/** Where frames of `POST /emulation` go: the listeners of this node's emulated connections by session id (§1.6). */
export interface EmulatedSessions {
  add(sessionId: string, transport: TransportName, listener: SocketListener): void;
  remove(sessionId: string): void;
  /** Frames of unknown sessions are dropped: the connection is gone, its client will notice by itself. */
  receive(sessionId: string, frame: Uint8Array): Promise<void>;
}

/** Counts a frame of a client, which came without its connection. */
export type CountReceived = (transport: TransportName, bytes: number) => void;

export function createEmulatedSessions(countReceived: CountReceived): EmulatedSessions {
  // Bounded by the connections: each is removed when it closes.
  const listeners = new Map<string, { readonly transport: TransportName; readonly listener: SocketListener }>();
  return {
    add: (sessionId, transport, listener) => void listeners.set(sessionId, { transport, listener }),
    remove: (sessionId) => void listeners.delete(sessionId),
    async receive(sessionId, frame) {
      const session = listeners.get(sessionId);
      if (session === undefined) return;
      countReceived(session.transport, frame.length);
      session.listener.onFrame(frame);
    },
  };
}

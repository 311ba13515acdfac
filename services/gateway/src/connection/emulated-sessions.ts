import type { SocketListener } from '../edge/socket.ts';

/** Where frames of `POST /emulation` go: the listeners of this node's emulated connections by session id (§1.6). */
export interface EmulatedSessions {
  add(sessionId: string, listener: SocketListener): void;
  remove(sessionId: string): void;
  /** Frames of unknown sessions are dropped: the connection is gone, its client will notice by itself. */
  receive(sessionId: string, frame: Uint8Array): Promise<void>;
}

export function createEmulatedSessions(): EmulatedSessions {
  // Bounded by the connections: each is removed when it closes.
  const listeners = new Map<string, SocketListener>();
  return {
    add: (sessionId, listener) => void listeners.set(sessionId, listener),
    remove: (sessionId) => void listeners.delete(sessionId),
    async receive(sessionId, frame) {
      listeners.get(sessionId)?.onFrame(frame);
    },
  };
}

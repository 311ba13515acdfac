import type { Clock } from '@carillon/service-kit';
import type { Deadline, Deadlines } from '../session/deadlines.ts';
import type { Session } from '../session/session.ts';

/** The deadlines of a connection: to authenticate, to go when it was refused, and to be refreshed. */
export interface ConnectionTimers {
  /** 3502 unless the session is connected by then; never where the delay is 0 or below. */
  watchStale(session: Session, delayMs: number): void;
  /** A WebSocket that got a connect error and does not close itself is dropped without a code, or stale before (§3.1). */
  watchUnusable(session: Session, delayMs: number): void;
  /** (Re)starts the expiry watch; `expireAt` in Unix seconds, 0 ends it. `graceMs` is added. */
  watchExpiry(session: Session, expireAt: number, graceMs: number): void;
  cancel(session: Session): void;
}

export interface ConnectionTimersDeps {
  readonly deadlines: Deadlines;
  readonly clock: Clock;
  readonly onStale: (session: Session) => void;
  readonly onExpired: (session: Session) => void;
}

interface Watched {
  opening: Deadline | undefined;
  unusable: Deadline | undefined;
  expiry: Deadline | undefined;
}

export function createConnectionTimers({
  deadlines,
  clock,
  onStale,
  onExpired,
}: ConnectionTimersDeps): ConnectionTimers {
  // Bounded by the sessions: every one is cancelled when it closes.
  const watched = new Map<Session, Watched>();

  function of(session: Session): Watched {
    let entry = watched.get(session);
    if (entry === undefined)
      watched.set(session, (entry = { opening: undefined, unusable: undefined, expiry: undefined }));
    return entry;
  }

  return {
    watchStale(session, delayMs) {
      if (delayMs <= 0) return;
      const entry = of(session);
      entry.opening = deadlines.schedule(delayMs, () => {
        entry.opening = undefined;
        if (session.state !== 'connected') onStale(session);
      });
    },
    watchUnusable(session, delayMs) {
      const entry = of(session);
      entry.unusable = deadlines.schedule(delayMs, () => session.socket.drop());
    },
    watchExpiry(session, expireAt, graceMs) {
      if (session.isClosed) return;
      const entry = of(session);
      entry.expiry?.cancel();
      entry.expiry = undefined;
      if (expireAt <= 0) return;
      entry.expiry = deadlines.schedule(expireAt * 1000 + graceMs - clock.now(), () => onExpired(session));
    },
    cancel(session) {
      const entry = watched.get(session);
      entry?.opening?.cancel();
      entry?.unusable?.cancel();
      entry?.expiry?.cancel();
      watched.delete(session);
    },
  };
}

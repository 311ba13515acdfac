import type { Clock, Log } from '@carillon/service-kit';
import type { FrameType } from '../session/frame-type.ts';
import type { Heartbeat } from '../session/heartbeat.ts';
import type { Admission, AdmissionObserver } from './admit.ts';
import type { EdgeSettings, KeptNames } from './edge-settings.ts';
import type { AcceptSocket, TransportName } from './socket.ts';
import type { TurnFlush } from './stream/turn-flush.ts';
import type { MissedMessages } from './ws/missed-messages.ts';
import type { PendingWrites } from './ws/pending-writes.ts';
import type { WriteWatch } from './ws/write-watch.ts';
import type { WsConnection } from './ws/ws-connection.ts';

/** What every endpoint of the edge works with. */
export interface EdgeContext {
  readonly settings: EdgeSettings;
  /** Of the settings; what counts now, since a reload may change it. */
  readonly kept: () => KeptNames;
  readonly admission: Admission;
  readonly accept: AcceptSocket;
  readonly clock: Clock;
  readonly log: Log;
  readonly observer: EdgeObserver;
  /** New connections are turned away: the node is stopping. */
  readonly isDraining: () => boolean;
  /** WebSocket control pings, for connections that use them instead of, or besides, pings of the application. */
  readonly framePings: Heartbeat<WsConnection>;
  readonly pendingWrites: PendingWrites;
  readonly missedMessages: MissedMessages;
  readonly writeWatch: WriteWatch;
  readonly turnFlush: TurnFlush;
}

/** Hears what metrics count. Called on the hot path: it must be cheap and must not throw. */
export interface EdgeObserver extends AdmissionObserver {
  /** A message of the session's, without framing. */
  onSent(transport: TransportName, frameType: FrameType, bytes: number): void;
  /** A topic message, to so many connections. */
  onPublished(kind: { transport: TransportName; frameType: FrameType }, bytes: number, receivers: number): void;
  /** A close frame was sent. */
  onCloseFrame(transport: TransportName, code: number): void;
}

import { createSilentLog, FakeClock, systemClock } from '@carillon/service-kit';
import { createHeartbeat } from '../../session/heartbeat.ts';
import type { EdgeObserver } from '../edge-context.ts';
import { createEdgeServer, type EdgeServer } from '../edge-server.ts';
import type { EdgeSettings } from '../edge-settings.ts';
import type { EmulatedFrame, Emulate } from '../emulation.ts';
import type { Socket, SocketListener } from '../socket.ts';

// For tests of this folder: the real edge on a free port, with sessions that do what the test says.

/** A session that records what it hears and can be told what to answer. */
export interface ScriptedSession extends SocketListener {
  readonly socket: Socket;
  readonly frames: string[];
  readonly rawFrames: Uint8Array[];
  slowCount: number;
  closeCount: number;
}

export interface TestEdge {
  readonly server: EdgeServer;
  readonly sessions: ScriptedSession[];
  readonly emulated: EmulatedFrame[];
  readonly url: string;
  readonly wsUrl: string;
  /** Advances only when `fakeClock` was asked for. */
  readonly clock: FakeClock;
  close(): void;
}

export interface TestEdgeOptions {
  readonly settings?: Partial<EdgeSettings> | undefined;
  readonly onAccept?: ((session: ScriptedSession) => void) | undefined;
  readonly onFrame?: ((session: ScriptedSession, frame: string) => void) | undefined;
  readonly emulate?: Emulate | undefined;
  readonly observer?: EdgeObserver | undefined;
  readonly fakeClock?: boolean | undefined;
}

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const text = (data: Uint8Array): string => new TextDecoder().decode(data);

const WEBSOCKET = {
  enabled: true,
  messageSizeLimit: 65_536,
  compression: false,
  compressionMinSize: 0,
  decompressedMessageSizeLimit: 0,
};
const STREAM = { enabled: true, maxRequestBodySize: 65_536 };

/** What the configuration says when it says nothing, with every transport on. */
export const DEFAULT_SETTINGS: EdgeSettings = {
  listen: { address: '127.0.0.1', port: 0 },
  sharePort: false,
  allowedOrigins: [],
  connectionLimit: 0,
  connectionRateLimit: 0,
  queueMaxSize: 1_048_576,
  pingIntervalMs: 25_000,
  pongTimeoutMs: 8000,
  trustedProxyHops: 0,
  websocket: { ...WEBSOCKET, handlerPrefix: '/connection/websocket' },
  httpStream: { ...STREAM, handlerPrefix: '/connection/http_stream' },
  sse: { ...STREAM, handlerPrefix: '/connection/sse' },
  emulation: { handlerPrefix: '/emulation', maxRequestBodySize: 65_536 },
  uniWebsocket: {
    ...WEBSOCKET,
    handlerPrefix: '/connection/uni_websocket',
    joinPushMessages: false,
    disableDisconnectPush: false,
    disableClosingHandshake: false,
  },
  uniSse: { ...STREAM, handlerPrefix: '/connection/uni_sse' },
  uniHttpStream: { ...STREAM, handlerPrefix: '/connection/uni_http_stream' },
  uniGrpc: { enabled: false, address: '127.0.0.1', port: 0, maxReceiveMessageSize: 0 },
  init: { enabled: true, handlerPrefix: '/connection/init' },
};

export async function startEdge(options: TestEdgeOptions = {}): Promise<TestEdge> {
  const sessions: ScriptedSession[] = [];
  const emulated: EmulatedFrame[] = [];
  const clock = new FakeClock();
  const server = createEdgeServer({
    settings: { ...DEFAULT_SETTINGS, ...options.settings },
    clock: options.fakeClock === true ? clock : systemClock,
    log: createSilentLog(),
    createHeartbeat,
    observer: options.observer,
    accept: (socket) => {
      const session = scriptedSession(socket, options);
      sessions.push(session);
      options.onAccept?.(session);
      return session;
    },
    emulate: (request) => {
      emulated.push(request);
      return options.emulate?.(request) ?? Promise.resolve('done');
    },
  });
  await server.listen();
  const host = `127.0.0.1:${server.port}`;
  return {
    server,
    sessions,
    emulated,
    url: `http://${host}`,
    wsUrl: `ws://${host}`,
    clock,
    close: () => server.close(),
  };
}

function scriptedSession(socket: Socket, { onFrame }: TestEdgeOptions): ScriptedSession {
  const session: ScriptedSession = {
    socket,
    frames: [],
    rawFrames: [],
    slowCount: 0,
    closeCount: 0,
    onFrame(frame) {
      session.rawFrames.push(frame);
      session.frames.push(text(frame));
      onFrame?.(session, text(frame));
    },
    onSlow() {
      session.slowCount += 1;
      socket.close(3008, 'slow');
    },
    onClose() {
      session.closeCount += 1;
    },
  };
  return session;
}

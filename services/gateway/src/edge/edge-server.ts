import type { TemplatedApp } from 'uWebSockets.js';
import type { Clock, Log } from '@carillon/service-kit';
import type { CreateHeartbeat } from '../session/heartbeat.ts';
import { createAdmission } from './admit.ts';
import type { EdgeContext, EdgeObserver } from './edge-context.ts';
import type { EdgeSettings, KeptNames, ListenSettings } from './edge-settings.ts';
import { type Emulate, mountEmulation } from './emulation.ts';
import { mountHttpStream } from './http-stream.ts';
import { corsHeaders } from './http/cors.ts';
import { type HeaderLine, respond, type ResponseOptions } from './http/respond.ts';
import { routePattern } from './http/route-pattern.ts';
import { type AddRoutes, type InstrumentApp, Listener } from './listener.ts';
import type { AcceptSocket, TopicPublisher } from './socket.ts';
import { mountSse } from './sse.ts';
import { createUniGrpc, type UniGrpc } from './uni-grpc.ts';
import { TurnFlush } from './stream/turn-flush.ts';
import { mountUniHttpStream } from './uni-http-stream.ts';
import { mountUniSse } from './uni-sse.ts';
import { mountUniWebsocket } from './uni-websocket.ts';
import { mountBidirectionalWebsocket } from './websocket.ts';
import { MissedMessages } from './ws/missed-messages.ts';
import { PendingWrites } from './ws/pending-writes.ts';
import { WriteWatch } from './ws/write-watch.ts';
import type { WsConnection } from './ws/ws-connection.ts';

/** Which listener serves a route: `internal` is the main one too unless it has a port of its own (§3.12). */
export type Side = 'external' | 'internal';

/**
 * The listeners of a gateway with every client transport on them. Life: mount, listen, drain, close. The application of
 * uWebSockets.js belongs to it; others add routes through `mount`.
 */
export interface EdgeServer {
  /** Fan-out to the WebSockets of this node. */
  readonly publisher: TopicPublisher;
  /** Adds routes; only before `listen`. They are added again to the application of each new certificate. */
  mount(side: Side, addRoutes: AddRoutes): void;
  /** Throws OperationalError `listen_failed`, naming the address. */
  listen(): Promise<void>;
  /** The main port; 0 before `listen`. */
  readonly port: number;
  /** The internal port; the main one when they are the same. */
  readonly internalPort: number;
  /** The port of unidirectional gRPC; 0 when it is off. */
  readonly grpcPort: number;
  /** Open client connections. */
  readonly connections: number;
  /**
   * New connections get the certificates of these settings, and what they keep of their requests is as these settings say;
   * those that are open stay as they are. Throws OperationalError for a certificate that can't be used; those before it are
   * in use then.
   */
  reload(settings: EdgeSettings): Promise<void>;
  /** From now on new connections are turned away: WebSockets with 3001, others with HTTP 503. Open ones stay. */
  drain(): void;
  /** Stops listening and drops what is still open. */
  close(): void;
}

export interface EdgeServerDeps {
  readonly settings: EdgeSettings;
  readonly accept: AcceptSocket;
  readonly emulate: Emulate;
  readonly createHeartbeat: CreateHeartbeat;
  readonly clock: Clock;
  readonly log: Log;
  readonly observer?: EdgeObserver | undefined;
  readonly instrument?: InstrumentApp | undefined;
}

const SILENT_OBSERVER: EdgeObserver = {
  onRefused: () => undefined,
  onEntered: () => undefined,
  onLeft: () => undefined,
  onSent: () => undefined,
  onPublished: () => undefined,
  onCloseFrame: () => undefined,
};

/** client-protocol §1.8: what native pings use when the application's are not configured. */
const DEFAULT_FRAME_PING_INTERVAL_MS = 25_000;
const DEFAULT_FRAME_PONG_TIMEOUT_MS = 10_000;

export function createEdgeServer(deps: EdgeServerDeps): EdgeServer {
  const { settings, instrument } = deps;
  let isDraining = false;
  let kept: KeptNames = settings;
  const context = createContext(deps, { isDraining: () => isDraining, kept: () => kept });
  const main = new Listener(settings.listen, { ...settings, instrument });
  const internal =
    settings.internalListen === undefined
      ? main
      : internalListener(settings.internalListen, { ...settings, instrument });
  const listeners = internal === main ? [main] : [main, internal];
  const uniGrpc = settings.uniGrpc.enabled ? createUniGrpc(context) : undefined;
  main.mount((app) => mountTransports(app, context, deps.emulate));
  return {
    publisher: createPublisher(main, context),
    mount(side, addRoutes) {
      (side === 'internal' ? internal : main).mount(addRoutes);
    },
    listen: () => listenAll(listeners, uniGrpc),
    get port() {
      return main.port;
    },
    get internalPort() {
      return internal.port;
    },
    get grpcPort() {
      return uniGrpc?.port ?? 0;
    },
    get connections() {
      return context.admission.connections;
    },
    async reload(next) {
      await main.useCertificate(next.listen.tls);
      if (internal !== main) await internal.useCertificate(next.internalListen?.tls);
      uniGrpc?.useCertificate(next.uniGrpc.tls);
      kept = next;
    },
    drain() {
      isDraining = true;
      // Others that share the port take over; alone, the port stays to say where clients stand.
      if (settings.sharePort) for (const listener of listeners) listener.stopListening();
    },
    close() {
      isDraining = true;
      context.framePings.stop();
      context.writeWatch.stop();
      uniGrpc?.close();
      for (const listener of listeners) listener.close();
    },
  };
}

/** A port of its own is not shared, even where the main one is. */
function internalListener(
  listen: ListenSettings,
  { listen: { port }, sharePort, instrument }: EdgeSettings & Pick<EdgeServerDeps, 'instrument'>,
): Listener {
  return new Listener(listen, { sharePort: sharePort && listen.port === port, proxyProtocol: false, instrument });
}

function createContext(deps: EdgeServerDeps, live: Pick<EdgeContext, 'isDraining' | 'kept'>): EdgeContext {
  const { settings, clock, log, accept, observer = SILENT_OBSERVER } = deps;
  return {
    settings,
    clock,
    log,
    accept,
    observer,
    ...live,
    pendingWrites: new PendingWrites(),
    missedMessages: new MissedMessages(),
    writeWatch: new WriteWatch(clock),
    turnFlush: new TurnFlush(),
    admission: createAdmission({ ...settings, clock, observer }),
    framePings: deps.createHeartbeat<WsConnection>({
      clock,
      timing: () => ({
        intervalMs: settings.pingIntervalMs > 0 ? settings.pingIntervalMs : DEFAULT_FRAME_PING_INTERVAL_MS,
        pongTimeoutMs: settings.pongTimeoutMs > 0 ? settings.pongTimeoutMs : DEFAULT_FRAME_PONG_TIMEOUT_MS,
      }),
      firstPing: () => 1,
      expectsPong: () => true,
      onPing: (connection) => connection.pingFrame(),
      onPongTimeout: (connection) => connection.drop(),
    }),
  };
}

function mountTransports(app: TemplatedApp, context: EdgeContext, emulate: Emulate): void {
  const { settings } = context;
  if (settings.websocket.enabled) mountBidirectionalWebsocket(app, context);
  if (settings.uniWebsocket.enabled) mountUniWebsocket(app, context);
  if (settings.httpStream.enabled) mountHttpStream(app, context);
  if (settings.sse.enabled) mountSse(app, context);
  if (settings.httpStream.enabled || settings.sse.enabled) mountEmulation(app, context, emulate);
  if (settings.uniSse.enabled) mountUniSse(app, context);
  if (settings.uniHttpStream.enabled) mountUniHttpStream(app, context);
  if (settings.init.enabled) {
    app.any(routePattern(settings.init.handlerPrefix), (res, req) => {
      const isHead = req.getMethod() === 'head';
      // Pages of other origins ask, before they connect.
      const headers: HeaderLine[] = [...corsHeaders(req, context.admission), ['Content-Type', 'application/json']];
      respond(res, 200, { headers, body: '{}', isHead });
    });
  }
}

function createPublisher(
  listener: Listener,
  { pendingWrites, missedMessages, writeWatch, settings, observer }: EdgeContext,
): TopicPublisher {
  const { compression, compressionMinSize } = settings.websocket;
  const compressFrom = compression ? compressionMinSize : Number.POSITIVE_INFINITY;
  return {
    publish(topic, message, { form, frameType, receivers }) {
      pendingWrites.flush();
      missedMessages.leaveTopics();
      writeWatch.topicMessage();
      const isBinary = form === 'protobuf' || form === 'uni_protobuf';
      listener.publish(topic, message, isBinary, message.length >= compressFrom);
      const isUnidirectional = form === 'uni_json' || form === 'uni_protobuf';
      const transport = isUnidirectional ? 'uni_websocket' : 'websocket';
      observer.onPublished({ transport, frameType }, message.length, receivers);
    },
  };
}

/** compat: server-api §1.1, also for routes that other editions have. */
const NOT_FOUND: ResponseOptions = {
  headers: [
    ['Content-Type', 'text/plain; charset=utf-8'],
    ['X-Content-Type-Options', 'nosniff'],
  ],
  body: '404 page not found\n',
};

async function listenAll(listeners: readonly Listener[], uniGrpc: UniGrpc | undefined): Promise<void> {
  for (const listener of listeners) {
    listener.mount((app) =>
      app.any('/*', (res, req) => respond(res, 404, { ...NOT_FOUND, isHead: req.getMethod() === 'head' })),
    );
  }
  for (const listener of listeners) await listener.listen();
  await uniGrpc?.listen();
}

import { STATUS_CODES } from 'node:http';
import type { HttpRequest, HttpResponse, TemplatedApp, us_socket_context_t, WebSocket } from 'uWebSockets.js';
import { DISCONNECT_SHUTDOWN } from '@carillon/protocol/codes';
import type { EdgeContext } from '../edge-context.ts';
import type { WebsocketSettings } from '../edge-settings.ts';
import { corsHeaders } from '../http/cors.ts';
import { captureHandshake } from '../http/handshake-request.ts';
import { handshakeOptions } from '../http/handshake-options.ts';
import { type HeaderLine, respond } from '../http/respond.ts';
import { routePattern } from '../http/route-pattern.ts';
import { COMPRESSION_DISABLED, compressionOf } from '../http/uws.ts';
import { WsConnection, type WsEndpoint, type WsUserData } from './ws-connection.ts';

/** What an endpoint makes of a request. */
export interface Negotiated {
  readonly endpoint: WsEndpoint;
  /** Echoed in the handshake; '' for none. */
  readonly subprotocol: string;
  /** Handed to the session as if it were the first message. */
  readonly firstFrame?: Uint8Array | undefined;
}

/** `malformed`: what the query says of the connection makes no sense. */
export type Negotiate = (req: HttpRequest) => Negotiated | 'malformed';

/**
 * uWebSockets.js cuts the connection, without a close frame, when a message exceeds its own limit. Ours is below: messages
 * between the two are received whole and answered with 1009, as clients expect (it is terminal for them).
 */
const HARD_LIMIT_FACTOR = 16;

/**
 * Ends sockets that are stuck in closing. Live ones always have traffic from their clients within this time; if they have
 * not, uWebSockets.js pings them first.
 */
const IDLE_TIMEOUT_S = 120;

/** client-protocol §1.3.3: ten times the message limit unless configured. */
export function decompressedLimit(settings: WebsocketSettings): number {
  const { decompressedMessageSizeLimit, messageSizeLimit } = settings;
  return decompressedMessageSizeLimit > 0 ? decompressedMessageSizeLimit : messageSizeLimit * 10;
}

export function mountWebsocket(
  app: TemplatedApp,
  context: EdgeContext,
  settings: WebsocketSettings,
  negotiate: Negotiate,
): void {
  const pattern = routePattern(settings.handlerPrefix);
  const deps: UpgradeDeps = { context, settings, negotiate };
  app.ws<WsUserData>(pattern, {
    compression: settings.compression ? compressionOf(settings.compressionLevel) : COMPRESSION_DISABLED,
    maxPayloadLength: Math.max(settings.messageSizeLimit * HARD_LIMIT_FACTOR, decompressedLimit(settings) + 1),
    maxBackpressure: context.settings.queueMaxSize,
    idleTimeout: IDLE_TIMEOUT_S,
    sendPingsAutomatically: true,
    upgrade: (res, req, socketContext) => upgrade(res, req, socketContext, deps),
    open: (ws) => open(ws, context),
    message: (ws, message) => ws.getUserData().connection.receiveBorrowed(message),
    pong: (ws) => {
      // Nobody minds a pong that was not asked for (RFC 6455 §5.5.3).
      context.framePings.pong(ws.getUserData().connection);
    },
    drain: (ws) => ws.getUserData().connection.drain(),
    dropped: (ws) => ws.getUserData().connection.overflow(),
    close: (ws) => {
      const { connection } = ws.getUserData();
      context.admission.leave(connection.traits.name);
      connection.closed();
    },
  });
  // Requests that do not ask for an upgrade fall through to here, as do those without a key of the right length.
  app.any(pattern, (res, req) => {
    if (looksRight(res, req, deps) !== undefined) refuse(res, req, { admission: context.admission, status: 400 });
  });
}

/** Sixteen bytes in base64. */
const CHALLENGE_KEY = /^[A-Za-z0-9+/]{22}==$/;

/** compat: in the order and the words of the WebSocket library of upstream. */
function handshakeError(req: HttpRequest, admission: EdgeContext['admission']): number | undefined {
  if (!hasToken(req.getHeader('connection'), 'upgrade') || !hasToken(req.getHeader('upgrade'), 'websocket')) return 400;
  if (req.getMethod() !== 'get') return 405;
  if (req.getHeader('sec-websocket-version') !== '13') return 400;
  if (!admission.isOriginAllowed(req.getHeader('origin'))) return 403;
  return CHALLENGE_KEY.test(req.getHeader('sec-websocket-key')) ? undefined : 400;
}

/** Whether a list of a header has it, in any case. */
function hasToken(list: string, token: string): boolean {
  return list.split(',').some((item) => item.trim().toLowerCase() === token);
}

interface Refusal {
  readonly admission: EdgeContext['admission'];
  readonly status: number;
  /** Default: what the status means, as an answer to a failed handshake. */
  readonly body?: string | undefined;
}

function refuse(res: HttpResponse, req: HttpRequest, { admission, status, body }: Refusal): void {
  const version: HeaderLine[] = body === undefined ? [['Sec-Websocket-Version', '13']] : [];
  respond(res, status, {
    headers: [
      ...corsHeaders(req, admission),
      ['Content-Type', 'text/plain; charset=utf-8'],
      ...version,
      ['X-Content-Type-Options', 'nosniff'],
    ],
    body: `${body ?? STATUS_CODES[status]}\n`,
    isHead: req.getMethod() === 'head',
  });
}

interface UpgradeDeps {
  readonly context: EdgeContext;
  readonly settings: WebsocketSettings;
  readonly negotiate: Negotiate;
}

/** Answers a request that is not worth an upgrade, in the order of upstream, and gives undefined. */
function looksRight(res: HttpResponse, req: HttpRequest, deps: UpgradeDeps): Negotiated | undefined {
  const { admission } = deps.context;
  if (!admission.mayTry()) {
    respond(res, 503);
    return undefined;
  }
  const negotiated = deps.negotiate(req);
  if (negotiated === 'malformed') {
    refuse(res, req, { admission, status: 400, body: 'invalid connect request' });
    return undefined;
  }
  const status = handshakeError(req, admission);
  if (status === undefined) return negotiated;
  refuse(res, req, { admission, status });
  return undefined;
}

function upgrade(res: HttpResponse, req: HttpRequest, socketContext: us_socket_context_t, deps: UpgradeDeps): void {
  const { context, settings } = deps;
  const negotiated = looksRight(res, req, deps);
  if (negotiated === undefined) return;
  if (!context.admission.enter(negotiated.endpoint.traits.name)) {
    respond(res, 503);
    return;
  }
  const extensions = settings.compression ? req.getHeader('sec-websocket-extensions') : '';
  const connection = new WsConnection(negotiated.endpoint, captureHandshake(res, req, handshakeOptions(context)), {
    isCompressed: extensions.includes('permessage-deflate'),
    firstFrame: negotiated.firstFrame,
  });
  const userData: WsUserData = { connection };
  const key = req.getHeader('sec-websocket-key');
  res.upgrade(userData, key, negotiated.subprotocol, extensions, socketContext);
}

function open(ws: WebSocket<WsUserData>, context: EdgeContext): void {
  // compat: a stopping node completes the handshake, since browsers can't see the status of a failed one.
  if (context.isDraining()) ws.end(DISCONNECT_SHUTDOWN.code, DISCONNECT_SHUTDOWN.reason);
  else ws.getUserData().connection.open(ws);
}

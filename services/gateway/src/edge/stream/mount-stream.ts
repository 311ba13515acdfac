import type { HttpRequest, HttpResponse, TemplatedApp } from 'uWebSockets.js';
import type { EdgeContext } from '../edge-context.ts';
import type { StreamSettings } from '../edge-settings.ts';
import { corsHeaders, PREFLIGHT_HEADERS } from '../http/cors.ts';
import { captureHandshake } from '../http/handshake-request.ts';
import { handshakeOptions } from '../http/handshake-options.ts';
import { rawQuery } from '../http/raw-query.ts';
import { PendingResponse, readBody } from '../http/request-body.ts';
import { type HeaderLine, respond } from '../http/respond.ts';
import { routePattern } from '../http/route-pattern.ts';
import type { HandshakeRequest } from '../socket.ts';
import { StreamConnection, type StreamVariant } from './stream-connection.ts';

/** What tells the four streaming endpoints apart. */
export interface StreamEndpoint {
  readonly context: EdgeContext;
  readonly settings: StreamSettings;
  readonly hasPreflight: boolean;
  /** By the content type of the request. */
  readonly variant: (contentType: string) => StreamVariant;
  /** The session's first frame from the query of a GET; a number is the status to refuse with. Absent: GET is a 405. */
  readonly frameFromQuery?: ((query: string) => Uint8Array | number) | undefined;
  /** The same from the body of a POST. */
  readonly frameFromBody: (body: Uint8Array) => Uint8Array | number;
}

/** client-protocol §1.4.1. */
export const STREAM_HEADERS: readonly HeaderLine[] = [
  ['X-Accel-Buffering', 'no'],
  ['Cache-Control', 'private, no-cache, no-store, must-revalidate, max-age=0'],
  ['Pragma', 'no-cache'],
  // compat: literally this name.
  ['Expire', '0'],
  ['Connection', 'keep-alive'],
];

export function mountStream(app: TemplatedApp, endpoint: StreamEndpoint): void {
  app.any(routePattern(endpoint.settings.handlerPrefix), (res, req) => receiveRequest(res, req, endpoint));
}

interface Arrival {
  readonly pending: PendingResponse;
  readonly variant: StreamVariant;
  readonly request: HandshakeRequest;
  readonly cors: readonly HeaderLine[];
}

function receiveRequest(res: HttpResponse, req: HttpRequest, endpoint: StreamEndpoint): void {
  const { context, settings, frameFromQuery } = endpoint;
  // compat: before anything else, also before a pre-flight is answered, and without CORS headers.
  if (context.isDraining() || !context.admission.mayTry()) {
    respond(res, 503);
    return;
  }
  const cors = corsHeaders(req, context.admission);
  const method = req.getMethod();
  if (method === 'options' && endpoint.hasPreflight) {
    respond(res, 204, { headers: [...cors, ...PREFLIGHT_HEADERS] });
    return;
  }
  const isQueryRequest = method === 'get' && frameFromQuery !== undefined;
  if (method !== 'post' && !isQueryRequest) {
    respond(res, 405, { headers: cors });
    return;
  }
  const arrival: Arrival = {
    pending: new PendingResponse(res),
    variant: endpoint.variant(req.getHeader('content-type')),
    request: captureHandshake(res, req, handshakeOptions(context)),
    cors,
  };
  if (isQueryRequest) {
    start(arrival, context, frameFromQuery(rawQuery(req)));
    return;
  }
  readBody(res, settings.maxRequestBodySize, (body) => {
    if (body instanceof Uint8Array) start(arrival, context, endpoint.frameFromBody(body));
    else respond(res, 413, { headers: cors, closesConnection: true });
  });
}

function start({ pending, variant, request, cors }: Arrival, context: EdgeContext, frame: Uint8Array | number): void {
  if (typeof frame === 'number') {
    respond(pending.res, frame, { headers: cors });
    return;
  }
  if (context.isDraining() || !context.admission.enter(variant.traits.name)) {
    respond(pending.res, 503, { headers: cors });
    return;
  }
  new StreamConnection({ context, variant, pending, request, cors }).open(frame);
}

import type { HttpRequest, HttpResponse, TemplatedApp } from 'uWebSockets.js';
import { decodeEmulationRequest, emulationFrame } from '@carillon/protocol/client';
import { ProtocolViolation } from '@carillon/protocol/codes';
import type { EdgeContext } from './edge-context.ts';
import { corsHeaders, PREFLIGHT_HEADERS } from './http/cors.ts';
import { PendingResponse, readBody } from './http/request-body.ts';
import { respond } from './http/respond.ts';
import { routePattern } from './http/route-pattern.ts';

/** Commands on their way to a session of this or another node. */
export interface EmulatedFrame {
  readonly node: string;
  readonly session: string;
  readonly frame: Uint8Array;
}

/**
 * Hands the frame to the node that owns the session, with a deadline, and resolves when that node has handled it.
 * `done` also when the node does not know the session. A rejection counts as `unreachable`.
 */
export type Emulate = (request: EmulatedFrame) => Promise<'done' | 'unknown_node' | 'unreachable'>;

const STATUS = { done: 204, unknown_node: 404, unreachable: 500 } as const;

/** `POST /emulation`: what clients of the emulated transports send (client-protocol §1.6). */
export function mountEmulation(app: TemplatedApp, context: EdgeContext, emulate: Emulate): void {
  const settings = context.settings.emulation;
  app.any(routePattern(settings.handlerPrefix), (res, req) => {
    const cors = corsHeaders(req, context.admission);
    const method = req.getMethod();
    if (method === 'options') respond(res, 204, { headers: [...cors, ...PREFLIGHT_HEADERS] });
    else if (method !== 'post') respond(res, 405, { headers: cors });
    else receive(res, req, { context, emulate, cors });
  });
}

interface Deps {
  readonly context: EdgeContext;
  readonly emulate: Emulate;
  readonly cors: ReturnType<typeof corsHeaders>;
}

function receive(res: HttpResponse, req: HttpRequest, { context, emulate, cors }: Deps): void {
  const kind = req.getHeader('content-type') === 'application/octet-stream' ? 'protobuf' : 'json';
  const pending = new PendingResponse(res);
  const answer = (status: number): void => {
    if (!pending.isAborted) respond(res, status, { headers: cors });
  };
  readBody(res, context.settings.emulation.maxRequestBodySize, (body) => {
    if (!(body instanceof Uint8Array)) {
      respond(res, 413, { headers: cors, closesConnection: true });
      return;
    }
    const request = decode(body, kind);
    if (request === 'malformed') answer(400);
    else {
      emulate(request).then(
        (outcome) => answer(STATUS[outcome]),
        (error: unknown) => {
          context.log.warn('emulation failed', { node: request.node, error: String(error) });
          answer(STATUS.unreachable);
        },
      );
    }
  });
}

/** No client has it. */
const NO_SESSION = '';

function decode(body: Uint8Array, kind: 'json' | 'protobuf'): EmulatedFrame | 'malformed' {
  try {
    const { node = '', session = '', ...request } = decodeEmulationRequest(body, kind);
    const frame = emulationFrame(request, kind);
    // compat: data that is not a JSON string is dropped without a word, where the node is known.
    return frame === undefined ? { node, session: NO_SESSION, frame: new Uint8Array(0) } : { node, session, frame };
  } catch (error) {
    if (error instanceof ProtocolViolation) return 'malformed';
    throw error;
  }
}

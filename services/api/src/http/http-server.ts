import type { Clock, Log } from '@carillon/service-kit';
import type { HttpRequest, HttpResponse, TemplatedApp } from 'uWebSockets.js';
import type { HttpApiSettings } from '../config.ts';
import { createBatch } from '../method/batch.ts';
import type { FollowCall } from '../method/follow/follow-calls.ts';
import type { MethodTable } from '../method/method-table.ts';
import { METHOD_NOT_ALLOWED, NOT_FOUND, SHUTTING_DOWN, UNAUTHORIZED } from './answer.ts';
import { createApiKeyCheck } from './api-key.ts';
import { requestedErrorMode } from './error-mode.ts';
import { Exchange, writeAnswer } from './exchange.ts';
import { failureAnswer } from './failure-answer.ts';
import type { InFlight } from './in-flight.ts';
import { legacyEndpoint } from './legacy-endpoint.ts';
import { batchEndpoint, methodEndpoint, type Endpoint } from './method-endpoint.ts';
import { readBody } from './read-body.ts';
import { requestTrace } from './request-trace.ts';

export interface HttpApiDeps {
  readonly settings: HttpApiSettings;
  readonly table: MethodTable;
  readonly inFlight: InFlight;
  readonly follow: FollowCall;
  readonly clock: Clock;
  readonly log: Log;
}

type Route = (response: HttpResponse, request: HttpRequest) => void;

/**
 * The server API over HTTP: routes for any uWS app (server-api §1). An app that also serves other things keeps its own
 * answer for what nobody knows; below our prefix we answer 404 ourselves.
 */
export function createHttpApi(deps: HttpApiDeps): { mount(app: TemplatedApp): void } {
  const { settings, table, inFlight, follow } = deps;
  const runBatch = createBatch({ table, protocol: 'http', follow });
  return {
    mount(app) {
      if (settings.isDisabled) return;
      const { prefix } = settings;
      const post = (path: string, route: Route): void => {
        app.post(path, route);
        app.any(path, refuseMethod);
      };
      for (const method of table.values())
        post(`${prefix}/${method.wire.name}`, createRoute(deps, methodEndpoint(method)));
      post(`${prefix}/batch`, createRoute(deps, batchEndpoint(runBatch)));
      const legacy = createRoute(deps, legacyEndpoint(table));
      post(prefix === '' ? '/' : prefix, (response, request) => {
        if (inFlight.isDraining) writeAnswer(response, SHUTTING_DOWN, true);
        else legacy(response, request);
      });
      if (prefix !== '') app.any(`${prefix}/*`, answerNotFound);
    },
  };
}

/** Checks in the order of server-api §1.2. */
function createRoute({ settings, inFlight, follow, clock, log }: HttpApiDeps, endpoint: Endpoint): Route {
  const isAdmitted = createApiKeyCheck(settings);
  return (response, request) => {
    if (!isAdmitted(request)) {
      writeAnswer(response, UNAUTHORIZED);
      return;
    }
    // Nothing of the request can be read once the route has returned.
    const facts = {
      errorMode: requestedErrorMode(request, settings.errorMode),
      trace: follow === undefined ? undefined : requestTrace(request),
    };
    const exchange = new Exchange(response, inFlight);
    readBody(exchange, clock, (body) => {
      endpoint(body, facts).then(
        (answer) => exchange.send(answer),
        (error: unknown) => exchange.send(failureAnswer(error, log)),
      );
    });
  };
}

function refuseMethod(response: HttpResponse): void {
  writeAnswer(response, METHOD_NOT_ALLOWED);
}

/** The answer for paths that nobody serves. */
export function answerNotFound(response: HttpResponse, request: HttpRequest): void {
  // The body of an answer to HEAD would be taken for the next answer.
  writeAnswer(response, request.getMethod() === 'head' ? { ...NOT_FOUND, body: '' } : NOT_FOUND);
}

import {
  healthResponse,
  metricsResponse,
  withDeadline,
  type Clock,
  type Health,
  type Log,
  type Metrics,
  type OpsResponse,
} from '@carillon/service-kit';
import type { HttpRequest, TemplatedApp } from 'uWebSockets.js';
import { INTERNAL_SERVER_ERROR, type Answer } from '../answer.ts';
import { Exchange, writeAnswer } from '../exchange.ts';
import type { InFlight } from '../in-flight.ts';

export interface OpsRoutesDeps {
  readonly healthPath: string;
  readonly metricsPath: string;
  readonly health: Pick<Health, 'report'>;
  readonly metrics: Pick<Metrics, 'render'>;
  readonly inFlight: InFlight;
  readonly clock: Clock;
  readonly log: Log;
}

const RENDER_DEADLINE_MS = 5_000;

/** Health and metrics of a process that holds nothing but this service. */
export function mountOpsRoutes(app: TemplatedApp, deps: OpsRoutesDeps): void {
  const { healthPath, metricsPath, health, metrics, inFlight, clock, log } = deps;
  // compat: whatever the method; load balancers like HEAD.
  app.any(healthPath, (response, request) => {
    writeAnswer(response, opsAnswer(healthResponse(health.report()), isHead(request)));
  });
  app.any(metricsPath, (response, request) => {
    const isBare = isHead(request);
    const exchange = new Exchange(response, inFlight);
    withDeadline(metricsResponse(metrics), RENDER_DEADLINE_MS, 'metrics_render', clock).then(
      (rendered) => exchange.send(opsAnswer(rendered, isBare)),
      (error: unknown) => {
        log.error('cannot render the metrics', { error });
        exchange.send(INTERNAL_SERVER_ERROR);
      },
    );
  });
}

function isHead(request: HttpRequest): boolean {
  return request.getMethod() === 'head';
}

function opsAnswer({ status, contentType, body }: OpsResponse, isBare: boolean): Answer {
  return { status, contentType, body: isBare ? '' : body };
}

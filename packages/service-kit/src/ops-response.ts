import type { HealthReport } from './health.ts';
import type { Metrics } from './metrics.ts';

/** An answer of an operations endpoint, for any HTTP server to write. */
export interface OpsResponse {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** 200 with `{}` or 503 with the reasons. A liveness endpoint passes no report: it is well if it answers. Spec: channels-and-config 4.4. */
export function healthResponse(report: HealthReport = { ok: true, reasons: [] }): OpsResponse {
  const body = report.ok ? '{}' : JSON.stringify({ reasons: report.reasons });
  return { status: report.ok ? 200 : 503, contentType: 'application/json', body };
}

/** Everything that is measured, as Prometheus text. Spec: channels-and-config 4. */
export async function metricsResponse(metrics: Pick<Metrics, 'render'>): Promise<OpsResponse> {
  return { status: 200, ...(await metrics.render()) };
}

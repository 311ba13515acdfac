import { createServer, type Server, type ServerResponse } from 'node:http';

import { systemClock, type Clock } from './clock.ts';
import { withDeadline } from './deadline.ts';
import type { HealthReport } from './health.ts';
import type { Log } from './log/log.ts';
import type { Metrics } from './metrics.ts';
import { OperationalError } from './operational-error.ts';
import { healthResponse, metricsResponse, type OpsResponse } from './ops-response.ts';

export interface OpsServerOptions {
  readonly health: { report(): HealthReport };
  readonly metrics: Pick<Metrics, 'render'>;
  readonly log: Log;
  /** 0 takes any free port. */
  readonly port: number;
  /** Default: all interfaces. */
  readonly address?: string | undefined;
  /** Default: `/health`. */
  readonly healthPath?: string | undefined;
  /** Default: `/metrics`. */
  readonly metricsPath?: string | undefined;
  readonly clock?: Clock | undefined;
}

const NOT_FOUND: OpsResponse = { status: 404, contentType: 'text/plain', body: 'not found\n' };
const METHOD_NOT_ALLOWED: OpsResponse = { status: 405, contentType: 'text/plain', body: 'method not allowed\n' };
const FAILED: OpsResponse = { status: 500, contentType: 'text/plain', body: 'internal error\n' };
const REQUEST_TIMEOUT_MS = 10_000;
const RENDER_DEADLINE_MS = 5_000;

/** A small HTTP server for health and metrics of a process that has no other one. */
export class OpsServer {
  readonly #options: OpsServerOptions;
  readonly #server: Server;

  constructor(options: OpsServerOptions) {
    this.#options = options;
    this.#server = createServer((request, response) => {
      void this.#answer(request.method ?? '', request.url ?? '').then((answer) =>
        write(response, answer, request.method === 'HEAD'),
      );
    });
    this.#server.requestTimeout = REQUEST_TIMEOUT_MS;
    this.#server.headersTimeout = REQUEST_TIMEOUT_MS;
  }

  /** Listens; gives the port. Rejects with `OperationalError` `ops_server_listen` if the port cannot be had. */
  start(): Promise<number> {
    const { port, address } = this.#options;
    return new Promise((resolve, reject) => {
      this.#server.once('error', (cause) => {
        const message = `cannot listen on port ${port}: ${cause.message}`;
        reject(new OperationalError('ops_server_listen', message, { cause, retriable: false }));
      });
      this.#server.listen({ port, host: address }, () => {
        const bound = this.#server.address();
        resolve(typeof bound === 'object' && bound !== null ? bound.port : port);
      });
    });
  }

  /** Ends the server and its connections. */
  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(method: string, url: string): Promise<OpsResponse> {
    const {
      health,
      metrics,
      healthPath = '/health',
      metricsPath = '/metrics',
      log,
      clock = systemClock,
    } = this.#options;
    const path = url.split('?', 1)[0];
    if (path !== healthPath && path !== metricsPath) return NOT_FOUND;
    if (method !== 'GET' && method !== 'HEAD') return METHOD_NOT_ALLOWED;
    try {
      if (path === healthPath) return healthResponse(health.report());
      return await withDeadline(metricsResponse(metrics), RENDER_DEADLINE_MS, 'metrics_render', clock);
    } catch (error) {
      log.error('cannot answer an operations request', { path, error });
      return FAILED;
    }
  }
}

function write(response: ServerResponse, { status, contentType, body }: OpsResponse, isHead: boolean): void {
  response.writeHead(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(body) });
  response.end(isHead ? undefined : body);
}

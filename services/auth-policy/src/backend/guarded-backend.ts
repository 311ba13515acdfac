import type { StreamListener } from '@carillon/policy';
import { OperationalError, withDeadline, type Clock, type Log } from '@carillon/service-kit';

import type { CallMetrics, EndpointMetrics, PolicyMetrics } from '../metrics.ts';
import { backendFailure, isAbandoned, isTransportFailure } from './backend-failure.ts';
import type { Backend, BackendCall, BackendStream, ProxyKind, ReplyEnvelope, StreamCall } from './backend.ts';
import { CircuitBreaker } from './circuit-breaker.ts';
import { ConcurrencyLimit } from './concurrency-limit.ts';
import { OpeningStream } from './opening-stream.ts';

export interface GuardedBackendOptions {
  /** For logs and metrics; unique. */
  readonly endpointName: string;
  /** `name` label of the metrics: `default` or that of a named proxy. */
  readonly proxyName: string;
  readonly backend: Backend;
  /** The proxy's `timeout`, over everything: waiting for a place, connecting, the exchange. */
  readonly timeoutMs: number;
  readonly limits: BackendLimits;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: PolicyMetrics;
}

export interface BackendLimits {
  /** Calls in flight to one endpoint. */
  readonly maxInFlight: number;
  /** Calls that may wait for one of those to end. */
  readonly maxWaiting: number;
  /** Consecutive transport failures and time-outs that open the circuit. */
  readonly failureThreshold: number;
  readonly openMs: number;
}

/** One endpoint with its bounds. Rejects as `Backend.exchange` does, never later than the time-out. */
export interface GuardedBackend {
  call<Message, Result>(call: BackendCall<Message, Result>): Promise<ReplyEnvelope<Result>>;
  /**
   * Opens a stream; its `first` rejects as `call` does. The bounds are those of the opening: an open stream takes no place
   * and has no time-out.
   */
  openStream(call: StreamCall, listener: StreamListener): BackendStream;
  close(): Promise<void>;
}

/** One log line about failures in this time: an outage must not flood the log. */
const FAILURE_LOG_INTERVAL_MS = 1_000;

export function createGuardedBackend(options: GuardedBackendOptions): GuardedBackend {
  const { backend, clock, endpointName, timeoutMs, limits, log } = options;
  const metrics = options.metrics.endpoint(endpointName);
  const limit = new ConcurrencyLimit(limits);
  const logFailure = createFailureLog(options);
  const callMetrics = new Map<ProxyKind, CallMetrics>();
  const breaker = new CircuitBreaker({
    clock,
    failureThreshold: limits.failureThreshold,
    openMs: limits.openMs,
    onChange: (state, previous) => {
      metrics.setCircuit(state);
      // The beginning and the end of an outage, not each probe in between.
      if (previous === 'closed') log.warn('a backend is away: failing fast', { endpoint: endpointName });
      if (state === 'closed') log.info('a backend is back', { endpoint: endpointName });
      // A connection that died in silence would fail every probe.
      if (state === 'open') backend.reset();
    },
  });
  metrics.setCircuit('closed');

  function metricsOf(kind: ProxyKind): CallMetrics {
    let cells = callMetrics.get(kind);
    if (cells === undefined) {
      cells = options.metrics.call(backend.protocol, kind, options.proxyName);
      callMetrics.set(kind, cells);
    }
    return cells;
  }

  /** The call itself, once it has a place. Only what happens here says anything about the endpoint. */
  async function attempt<Reply>(work: Exchange<Reply>, signal: AbortSignal, startedAt: number): Promise<Reply> {
    if (!breaker.tryEnter()) throw backendFailure('proxy_circuit_open', 'the backend failed repeatedly a moment ago');
    const remainingMs = Math.max(0, timeoutMs - (clock.monotonic() - startedAt));
    try {
      const reply = await work({ signal, remainingMs });
      breaker.succeeded();
      return reply;
    } catch (error) {
      if (isTransportFailure(error)) breaker.failed();
      else if (isAnswer(error)) breaker.succeeded();
      else breaker.abandoned();
      throw error;
    }
  }

  async function guarded<Reply>(kind: ProxyKind, work: Exchange<Reply>): Promise<Reply> {
    const startedAt = clock.monotonic();
    const cells = metricsOf(kind);
    cells.inFlight.inc();
    try {
      return await withDeadline(
        (signal) => {
          const turn = limit.run(() => attempt(work, signal, startedAt), signal);
          metrics.waiting.set(limit.waiting);
          return turn;
        },
        timeoutMs,
        'proxy_timeout',
        clock,
      );
    } catch (error) {
      if (!isAbandoned(error)) {
        cells.errors.inc();
        if (error instanceof OperationalError) metrics.failure(error.code).inc();
        logFailure(kind, error);
      }
      throw error;
    } finally {
      cells.inFlight.dec();
      cells.duration.observe((clock.monotonic() - startedAt) / 1_000);
      metrics.waiting.set(limit.waiting);
    }
  }

  return {
    call: (call) => guarded(call.method.kind, (bounds) => backend.exchange(call, bounds)),
    openStream(call, listener) {
      const opening = new OpeningStream(() => openStream(backend, call, countingFailures(listener, metrics)));
      const first = guarded('subscribe_stream', ({ signal }) => opening.open(signal));
      return opening.opened(first);
    },
    close: () => backend.close(),
  };
}

/** One try to get an answer out of the backend, within these bounds. */
type Exchange<Reply> = (bounds: { readonly signal: AbortSignal; readonly remainingMs: number }) => Promise<Reply>;

function openStream(backend: Backend, call: StreamCall, listener: StreamListener): BackendStream {
  if (backend.openStream === undefined) throw backendFailure('proxy_unencodable', 'there are no streams over HTTP');
  return backend.openStream(call, listener);
}

function countingFailures(listener: StreamListener, metrics: EndpointMetrics): StreamListener {
  return {
    onPublication: (publication) => listener.onPublication(publication),
    onEnd(end) {
      if (end === 'failed') metrics.failure('proxy_stream_broken').inc();
      listener.onEnd(end);
    },
  };
}

/** The endpoint is there, though its answer is of no use. */
function isAnswer(error: unknown): boolean {
  if (!(error instanceof OperationalError)) return false;
  return error.code === 'proxy_status' || error.code === 'proxy_grpc_status' || error.code === 'proxy_bad_reply';
}

function createFailureLog({ clock, log, endpointName }: GuardedBackendOptions) {
  let quietUntil = -Infinity;
  let unlogged = 0;
  return (kind: ProxyKind, error: unknown): void => {
    const now = clock.monotonic();
    if (now < quietUntil) {
      unlogged += 1;
      return;
    }
    log.warn('a backend call failed', { endpoint: endpointName, type: kind, error, unlogged });
    quietUntil = now + FAILURE_LOG_INTERVAL_MS;
    unlogged = 0;
  };
}

import type { PublishResult } from '@carillon/cluster';
import type { ErrorBody } from '@carillon/protocol/api';
import type { Log } from '@carillon/service-kit';
import type { Span, TraceContext, Tracing } from '@carillon/service-kit/tracing';
import type { ApiProtocol } from '../../metrics.ts';

/** A request that can be found again: in the traces, in the log of level debug, or in both. */
export interface FollowedCall {
  /** What calls that belong to this one take as their parent. */
  readonly context: TraceContext | undefined;
  /** The time from here to its end is the time of the log, acknowledgement included. */
  startPublish(channel: string, hasHistory: boolean): FollowedPublish;
  end(error: ErrorBody | undefined): void;
}

export interface FollowedPublish {
  /** Travels with the publication; undefined unless the trace is sampled. */
  readonly trace: TraceContext | undefined;
  published(result: PublishResult): void;
  failed(error: unknown): void;
}

export interface CallStart {
  readonly protocol: ApiProtocol;
  readonly method: string;
  readonly request: object;
  /** Of the caller. */
  readonly parent: TraceContext | undefined;
}

/** Undefined where nobody wants to know: the check for it is all that the hot path pays then. */
export type FollowCall = ((start: CallStart) => FollowedCall) | undefined;

export interface FollowDeps {
  /** Undefined: no traces. */
  readonly tracing: Tracing | undefined;
  readonly log: Log;
}

export function createCallFollower({ tracing, log }: FollowDeps): FollowCall {
  const debug = log.isEnabled('debug') ? log.debug : undefined;
  if (tracing === undefined && debug === undefined) return undefined;
  return (start) => new Call(start, { tracing, debug });
}

interface Followers {
  readonly tracing: Tracing | undefined;
  readonly debug: Log['debug'] | undefined;
}

class Call implements FollowedCall {
  readonly #start: CallStart;
  readonly #followers: Followers;
  readonly #span: Span | undefined;

  constructor(start: CallStart, followers: Followers) {
    const { protocol, method, request, parent } = start;
    this.#start = start;
    this.#followers = followers;
    this.#span = followers.tracing?.startSpan(`api ${method}`, {
      kind: 'server',
      parent,
      attributes: {
        'carillon.api.protocol': protocol,
        'carillon.api.method': method,
        'carillon.channels': channelsOf(request),
      },
    });
  }

  get context(): TraceContext | undefined {
    return this.#span?.context;
  }

  startPublish(channel: string, hasHistory: boolean): FollowedPublish {
    const { tracing, debug } = this.#followers;
    const span = tracing?.startSpan(hasHistory ? 'append' : 'publish', {
      kind: 'producer',
      parent: this.context,
      attributes: { 'messaging.system': 'carillon', 'messaging.destination.name': channel },
    });
    const trace = span?.context.isSampled === true ? span.context : undefined;
    const traceId = span?.context.traceId;
    return {
      trace,
      published({ position: { offset, epoch }, suppressed }) {
        span?.set({ 'carillon.offset': offset, 'carillon.epoch': epoch });
        if (suppressed !== undefined) span?.set({ 'carillon.suppressed': suppressed });
        span?.end();
        debug?.('a publication was taken', { channel, offset, epoch, suppressed, trace_id: traceId });
      },
      failed(error) {
        span?.fail(error instanceof Error ? error.message : String(error));
        span?.end();
        debug?.('a publication was not taken', { channel, error, trace_id: traceId });
      },
    };
  }

  end(error: ErrorBody | undefined): void {
    const { method, protocol, request } = this.#start;
    const code = error?.code;
    if (error !== undefined) {
      this.#span?.set({ 'carillon.error.code': code ?? 0 });
      this.#span?.fail(error.message ?? '');
    }
    this.#span?.end();
    const fields = { method, protocol, channels: channelsOf(request), code, trace_id: this.context?.traceId };
    this.#followers.debug?.('an API method was called', fields);
  }
}

/** How many channels a request names. */
function channelsOf(request: object): number {
  if ('channels' in request && Array.isArray(request.channels)) return request.channels.length;
  return 'channel' in request && typeof request.channel === 'string' && request.channel !== '' ? 1 : 0;
}

/** The place of a span in its trace, as W3C Trace Context has it. */
export interface TraceContext {
  /** 32 hex digits, not all zero. */
  readonly traceId: string;
  /** 16 hex digits, not all zero. */
  readonly spanId: string;
  readonly isSampled: boolean;
  /** What tracing systems on the way wrote into `tracestate`; passed on as it is. */
  readonly state?: string | undefined;
}

/** Name of the HTTP header and of the gRPC metadata key. */
export const TRACEPARENT = 'traceparent';
/** Of the other header; never without the first. */
export const TRACESTATE = 'tracestate';

/** What the recommendation asks everybody to pass on. */
const MAX_STATE_CHARS = 512;

const FORMAT = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/;
const SAMPLED = 1;

/** Undefined for anything that the W3C recommendation tells to ignore: the trace begins here then. */
export function parseTraceparent(text: string, state = ''): TraceContext | undefined {
  const [, version, traceId = '', spanId = '', flags = '', rest] = FORMAT.exec(text.trim()) ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && rest !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  const context = { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & SAMPLED) !== 0 };
  return state === '' || state.length > MAX_STATE_CHARS ? context : { ...context, state };
}

export function formatTraceparent({ traceId, spanId, isSampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`;
}

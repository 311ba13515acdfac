import type { Clock } from '@carillon/service-kit';
import type { TransportName } from './socket.ts';

/** Who may connect: the origin check, the limit on connections and the limit on new ones (client-protocol §1.2). */
export interface Admission {
  /** True without an Origin (''), else by the configured globs. */
  isOriginAllowed(origin: string): boolean;
  /** Whether a request to an endpoint of clients is looked at at all (HTTP 503 otherwise). Each counts as an attempt. */
  mayTry(): boolean;
  /** Counts a connection in, or says no (HTTP 503). Every yes is followed by one `leave`. */
  enter(transport: TransportName): boolean;
  leave(transport: TransportName): void;
  /** Connections that are in. */
  readonly connections: number;
}

export type RefusalCause = 'connection_limit' | 'connection_rate_limit';

export interface AdmissionOptions {
  readonly allowedOrigins: readonly string[];
  readonly connectionLimit: number;
  readonly connectionRateLimit: number;
  readonly clock: Clock;
  readonly observer: AdmissionObserver;
}

export interface AdmissionObserver {
  onRefused(cause: RefusalCause): void;
  onEntered(transport: TransportName): void;
  onLeft(transport: TransportName): void;
}

/** compat: the bucket holds `client.connection_rate_limit` tokens, but only one comes back a second. */
const TOKENS_PER_SECOND = 1;

export function createAdmission(options: AdmissionOptions): Admission {
  const { connectionLimit, connectionRateLimit, clock, observer } = options;
  const isOriginAllowed = originRule(options.allowedOrigins);
  let connections = 0;
  let tokens = connectionRateLimit;
  let filledAt = clock.monotonic();

  function takeToken(): boolean {
    const now = clock.monotonic();
    tokens = Math.min(connectionRateLimit, tokens + ((now - filledAt) / 1000) * TOKENS_PER_SECOND);
    filledAt = now;
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  }

  function hasRoom(): boolean {
    if (connectionLimit <= 0 || connections < connectionLimit) return true;
    observer.onRefused('connection_limit');
    return false;
  }

  return {
    isOriginAllowed: (origin) => origin === '' || isOriginAllowed(origin),
    mayTry() {
      if (connectionRateLimit > 0 && !takeToken()) {
        observer.onRefused('connection_rate_limit');
        return false;
      }
      return hasRoom();
    },
    enter(transport) {
      if (!hasRoom()) return false;
      connections += 1;
      observer.onEntered(transport);
      return true;
    },
    leave(transport) {
      connections -= 1;
      observer.onLeft(transport);
    },
    get connections() {
      return connections;
    },
  };
}

function originRule(globs: readonly string[]): (origin: string) => boolean {
  if (globs.includes('*')) return () => true;
  const patterns = globs.map((glob) => globPattern(glob.toLowerCase()));
  return (origin) => {
    const lower = origin.toLowerCase();
    return patterns.some((pattern) => pattern.test(lower));
  };
}

/** `*` any run of characters, `?` one, `[a-z]` and `[!a-z]` one of a set, `{a,b}` alternatives, `\` takes the next literally. */
function globPattern(glob: string): RegExp {
  let source = '';
  let depth = 0;
  for (let at = 0; at < glob.length; at += 1) {
    const char = glob.charAt(at);
    const setEnd = char === '[' ? glob.indexOf(']', at + 2) : -1;
    if (char === '*') source += '.*';
    else if (char === '?') source += '.';
    else if (setEnd !== -1) {
      source += characterSet(glob.slice(at + 1, setEnd));
      at = setEnd;
    } else if (char === '{') {
      depth += 1;
      source += '(?:';
    } else if (char === '}' && depth > 0) {
      depth -= 1;
      source += ')';
    } else if (char === ',' && depth > 0) source += '|';
    else if (char === '\\' && at + 1 < glob.length) source += literal(glob.charAt((at += 1)));
    else source += literal(char);
  }
  return new RegExp(`^${source}${')'.repeat(depth)}$`, 's');
}

function characterSet(body: string): string {
  const isNegated = body.startsWith('!') || body.startsWith('^');
  return `[${isNegated ? '^' : ''}${(isNegated ? body.slice(1) : body).replaceAll(/[\\[\]^]/g, '\\$&')}]`;
}

function literal(char: string): string {
  return char.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}

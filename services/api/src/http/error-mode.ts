import type { HttpRequest } from 'uWebSockets.js';
import type { ErrorMode } from '../config.ts';

/** How this request wants its errors (server-api §1.4); the value of the header counts in exactly this case. */
export function requestedErrorMode(request: Pick<HttpRequest, 'getHeader'>, configured: ErrorMode): ErrorMode {
  if (configured === 'transport') return configured;
  return request.getHeader('x-centrifugo-error-mode') === 'transport' ? 'transport' : 'reply';
}

import type { HttpRequest } from 'uWebSockets.js';
import type { Admission } from '../admit.ts';
import type { HeaderLine } from './respond.ts';

/** What the preflight answer adds (client-protocol §1.2). */
export const PREFLIGHT_HEADERS: readonly HeaderLine[] = [
  ['Access-Control-Max-Age', '300'],
  ['Access-Control-Allow-Methods', 'POST, OPTIONS'],
];

/** None for a refused origin: the request is served, but the browser hides the response from the page. */
export function corsHeaders(req: HttpRequest, admission: Admission): readonly HeaderLine[] {
  const origin = req.getHeader('origin');
  if (!admission.isOriginAllowed(origin)) return [];
  const headers: HeaderLine[] = [
    // compat: sent empty to requests without an Origin.
    ['Access-Control-Allow-Origin', origin],
    ['Access-Control-Allow-Credentials', 'true'],
  ];
  const requested = req.getHeader('access-control-request-headers');
  // compat: old browsers send the text "null" for no headers.
  if (requested !== '' && requested !== 'null') headers.push(['Access-Control-Allow-Headers', requested]);
  return headers;
}

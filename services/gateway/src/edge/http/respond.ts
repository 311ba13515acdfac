import { STATUS_CODES } from 'node:http';
import type { HttpResponse } from 'uWebSockets.js';

export type HeaderLine = readonly [name: string, value: string];

export interface ResponseOptions {
  readonly headers?: readonly HeaderLine[] | undefined;
  readonly body?: string | undefined;
  /** A HEAD request gets no body. */
  readonly isHead?: boolean | undefined;
  /** The connection can't be used again, and says so, because the request was not read to its end. */
  readonly closesConnection?: boolean | undefined;
}

/** Status line for uWebSockets.js. */
export function statusLine(status: number): string {
  return `${status} ${STATUS_CODES[status] ?? 'Status'}`;
}

/** A whole response. The caller knows that the request was not aborted. */
export function respond(res: HttpResponse, status: number, options: ResponseOptions = {}): void {
  const { headers = [], body = '', isHead = false, closesConnection = false } = options;
  res.cork(() => {
    res.writeStatus(statusLine(status));
    for (const [name, value] of headers) res.writeHeader(name, value);
    // compat: 204 and 304 have neither a body nor a length (RFC 9110 §8.6). A length here would make uWebSockets.js wait.
    if (status === 204 || status === 304 || isHead) res.endWithoutBody();
    else res.end(body, closesConnection);
  });
}

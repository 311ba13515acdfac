/** What is written to a client, whole. */
export interface Answer {
  readonly status: number;
  /** Undefined: no such header. */
  readonly contentType: string | undefined;
  readonly body: Uint8Array | string;
}

/** Of an answer in words. */
export const TEXT = 'text/plain; charset=utf-8';

function text(status: number, body: string): Answer {
  return Object.freeze({ status, contentType: TEXT, body });
}

function empty(status: number): Answer {
  return Object.freeze({ status, contentType: undefined, body: '' });
}

// server-api §1.1, §1.2
export const METHOD_NOT_ALLOWED: Answer = empty(405);
export const UNAUTHORIZED: Answer = empty(401);
export const NOT_FOUND: Answer = text(404, '404 page not found\n');
export const BAD_REQUEST: Answer = text(400, 'Bad Request\n');
export const INTERNAL_SERVER_ERROR: Answer = text(500, 'Internal Server Error\n');
export const BODY_TOO_LARGE: Answer = text(413, 'Request Entity Too Large\n');
export const SHUTTING_DOWN: Answer = empty(503);

export function jsonAnswer(body: Uint8Array | string, status = 200): Answer {
  return { status, contentType: 'application/json', body };
}

const REASONS: ReadonlyMap<number, string> = new Map([
  [200, '200 OK'],
  [400, '400 Bad Request'],
  [401, '401 Unauthorized'],
  [404, '404 Not Found'],
  [405, '405 Method Not Allowed'],
  [409, '409 Conflict'],
  [413, '413 Request Entity Too Large'],
  [416, '416 Requested Range Not Satisfiable'],
  [500, '500 Internal Server Error'],
  [503, '503 Service Unavailable'],
]);

/** The status line of a status that is answered anywhere. */
export function statusLine(status: number): string {
  return REASONS.get(status) ?? String(status);
}

import type { HttpRequest } from 'uWebSockets.js';

/** The query string as it came; '' when there is none, for which uWebSockets.js gives undefined in spite of its typings. */
export function rawQuery(req: HttpRequest): string {
  const query: string | undefined = req.getQuery();
  return query ?? '';
}

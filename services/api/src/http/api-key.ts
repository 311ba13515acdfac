import type { HttpRequest } from 'uWebSockets.js';
import { createKeyComparison } from '../key-comparison.ts';

export interface ApiKeySettings {
  /** Empty: nobody is let in, unless insecure. */
  readonly key: string;
  readonly isInsecure: boolean;
}

/** Whether a request may call the API (server-api §1.3). Only valid while uWS runs the route. */
export type ApiKeyCheck = (request: Pick<HttpRequest, 'getHeader' | 'getQuery'>) => boolean;

export function createApiKeyCheck({ key, isInsecure }: ApiKeySettings): ApiKeyCheck {
  if (isInsecure) return () => true;
  if (key === '') return () => false;
  const isKey = createKeyComparison(key);
  return (request) => {
    const header = request.getHeader('x-api-key');
    // A header that is there is the only one looked at, right or wrong.
    const given = header === '' ? keyOfAuthorization(request.getHeader('authorization')) : header;
    if (given !== undefined && isKey(given)) return true;
    const query = request.getQuery();
    return typeof query === 'string' && query !== '' && isKey(new URLSearchParams(query).get('api_key') ?? '');
  };
}

/** The key of `apikey K`: two fields exactly, the first one in any case. */
function keyOfAuthorization(header: string): string | undefined {
  const fields = header.split(/\s+/u).filter((field) => field !== '');
  const [scheme, key] = fields;
  return fields.length === 2 && scheme?.toLowerCase() === 'apikey' ? key : undefined;
}

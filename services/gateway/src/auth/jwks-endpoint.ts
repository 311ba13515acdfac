import { TokenError } from './token-verifier.ts';

/** A JWKS URL, perhaps with placeholders that the issuer and audience rules fill (tokens.md §3.3). */
export type ResolveEndpoint = (groups: Readonly<Record<string, string>>) => string;

const UNSAFE = /[\\\s]/;

const PLACEHOLDER = /\{\{\s*([A-Za-z0-9_]+)\s*\}\}/g;

/** Fills the template for each token; a path that is not in cleaned form makes the token invalid. */
export function createEndpointResolver(template: string): ResolveEndpoint {
  if (!template.includes('{{')) return () => template;
  return (groups) => {
    const resolved = template.replaceAll(PLACEHOLDER, (_match, name: string) => groups[name] ?? '');
    if (!isCleanUrl(resolved)) throw new TokenError('invalid', 'the key set URL of this token is not clean');
    return resolved;
  };
}

/** No `..`, no `//`, no trailing `/` but the root: one tenant must not reach another's keys by its name. */
function isCleanUrl(text: string): boolean {
  const path = /^https?:\/\/[^/?#]+([^?#]*)/.exec(text)?.[1];
  // A fetch takes \ for / and leaves out line breaks and tabs.
  if (path === undefined || UNSAFE.test(path)) return false;
  const decoded = decodedPath(path);
  if (decoded === '' || decoded === '/') return true;
  if (decoded === undefined || decoded.includes('//') || decoded.endsWith('/')) return false;
  return decoded.split('/').every((segment) => segment !== '.' && segment !== '..');
}

/** Undefined where it cannot be decoded. */
function decodedPath(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

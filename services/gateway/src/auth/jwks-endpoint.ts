import { TokenError } from './token-verifier.ts';

/** A JWKS URL, perhaps with placeholders that the issuer and audience rules fill (tokens.md §3.3). */
export type ResolveEndpoint = (groups: Readonly<Record<string, string>>) => string;

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
  if (path === undefined) return false;
  if (path === '' || path === '/') return true;
  if (path.includes('//') || path.endsWith('/') || path.includes('%')) return false;
  return path.split('/').every((segment) => segment !== '.' && segment !== '..');
}

import type { Config } from '../config.ts';
import type { TokenConfig } from '../option/client.ts';
import { checkRegex, type Complaints } from './rule.ts';

/** Rules for token options (tokens.md 1, 3.3). */
export function* checkTokens(config: Config): Complaints {
  yield* checkToken('client.token', config.client.token);
  const { subscriptionToken } = config.client;
  if (subscriptionToken.enabled) yield* checkToken('client.subscription_token', subscriptionToken);
}

function* checkToken(path: string, token: TokenConfig): Complaints {
  if (token.userIdClaim !== '' && !/^[a-zA-Z_]+$/.test(token.userIdClaim)) {
    yield `${path}.user_id_claim must match ^[a-zA-Z_]+$`;
  }
  if (token.audience !== '' && token.audienceRegex !== '') yield `${path}.audience excludes audience_regex`;
  if (token.issuer !== '' && token.issuerRegex !== '') yield `${path}.issuer excludes issuer_regex`;
  if (token.jwksPublicEndpoint !== '' && !/^https?:\/\//.test(token.jwksPublicEndpoint)) {
    yield `${path}.jwks_public_endpoint must begin with http:// or https://`;
  }
  yield* checkRegex(`${path}.audience_regex`, token.audienceRegex);
  yield* checkRegex(`${path}.issuer_regex`, token.issuerRegex);
  if (!token.insecureSkipJwksEndpointSafetyCheck) yield* checkTemplate(path, token);
}

/** Placeholders of the key set URL may only be fed by groups that list their values. */
function* checkTemplate(path: string, token: TokenConfig): Complaints {
  const names = [...token.jwksPublicEndpoint.matchAll(/\{\{\s*([^{}]*?)\s*\}\}/g)].map(([, name]) => name ?? '');
  if (names.length === 0) return;
  for (const key of ['audience_regex', 'issuer_regex'] as const) {
    const source = key === 'audience_regex' ? token.audienceRegex : token.issuerRegex;
    if (/\[|\\[dDwWsSpP]/.test(source)) {
      yield `${path}.${key} must not hold character classes while jwks_public_endpoint has placeholders`;
    }
    for (const name of names) {
      if (groupsNamed(source, name).some((body) => !isPlain(body))) {
        yield `${path}.${key}: group ${name} must list its values, such as (?P<${name}>a|b), to be used in jwks_public_endpoint`;
      }
    }
  }
}

/** Bodies of the groups with a name; parentheses are balanced, as the expression compiles. */
function groupsNamed(source: string, name: string): string[] {
  const bodies: string[] = [];
  for (const start of [`(?P<${name}>`, `(?<${name}>`]) {
    for (let at = source.indexOf(start); at !== -1; at = source.indexOf(start, at + 1)) {
      bodies.push(bodyFrom(source, at + start.length));
    }
  }
  return bodies;
}

function bodyFrom(source: string, start: number): string {
  let depth = 1;
  for (let index = start; index < source.length; index++) {
    const char = source[index];
    if (char === '\\') index++;
    else if (char === '(') depth++;
    else if (char === ')' && --depth === 0) return source.slice(start, index);
  }
  return source.slice(start);
}

/** Literals, concatenation and alternation only. */
function isPlain(body: string): boolean {
  const bare = body.replaceAll(/\\[^a-zA-Z0-9]/g, '').replaceAll(/\(\?:/g, '(');
  return !/[.*+?{}^$[\]\\]/.test(bare);
}

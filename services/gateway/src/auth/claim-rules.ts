import { RE2JS } from 're2js';
import type { TokenClaims } from '@carillon/protocol/token';
import { audiences, numericDate } from './claim-values.ts';
import type { TokenSettings } from './token-settings.ts';
import { TokenError } from './token-verifier.ts';

/** Rules on `iss`, `aud` and the times of a token (tokens.md §2, steps 3, 5, 7). */
export interface ClaimRules {
  /** Before the signature: the regex rules. Gives the named groups they found, which JWKS templates use. */
  matchPatterns(claims: TokenClaims): Readonly<Record<string, string>>;
  /** After the signature: the exact rules. */
  checkExact(claims: TokenClaims): void;
  /** `exp` and `nbf`, without leeway. */
  checkTimes(claims: TokenClaims, nowS: number): void;
}

type RuleSettings = Pick<TokenSettings, 'audience' | 'audienceRegex' | 'issuer' | 'issuerRegex'>;

export function createClaimRules({ audience, audienceRegex, issuer, issuerRegex }: RuleSettings): ClaimRules {
  const issuerPattern = issuerRegex === '' ? undefined : RE2JS.compile(issuerRegex);
  const audiencePattern = audienceRegex === '' ? undefined : RE2JS.compile(audienceRegex);
  return {
    matchPatterns(claims) {
      const groups: Record<string, string> = {};
      if (issuerPattern !== undefined && !collectGroups(issuerPattern, claims.iss ?? '', groups)) {
        throw new TokenError('invalid', 'iss does not match');
      }
      if (audiencePattern !== undefined) {
        const matched = audiences(claims.aud).some((entry) => collectGroups(audiencePattern, entry, groups));
        if (!matched) throw new TokenError('invalid', 'aud does not match');
      }
      return groups;
    },
    checkExact(claims) {
      if (audience !== '' && !audiences(claims.aud).includes(audience)) throw new TokenError('invalid', 'aud differs');
      if (issuer !== '' && claims.iss !== issuer) throw new TokenError('invalid', 'iss differs');
    },
    checkTimes(claims, nowS) {
      const exp = numericDate(claims.exp, 'exp');
      const nbf = numericDate(claims.nbf, 'nbf');
      if (exp !== undefined && exp <= nowS) throw new TokenError('expired', 'the token is expired');
      if (nbf !== undefined && nbf >= nowS) throw new TokenError('expired', 'the token is not valid yet');
    },
  };
}

function collectGroups(pattern: RE2JS, text: string, into: Record<string, string>): boolean {
  const matcher = pattern.matcher(text);
  if (!matcher.find()) return false;
  for (const name of Object.keys(pattern.namedGroups())) {
    const value = matcher.group(name);
    if (value !== null) into[name] = value;
  }
  return true;
}

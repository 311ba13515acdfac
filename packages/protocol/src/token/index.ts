import { TokenClaimsSchema, type TokenClaims as GenTokenClaims } from '../gen/token_pb.ts';
import { compileCodec, type MessageCodec } from '../wire/message-codec.ts';
import type { Wire } from '../wire/wire.ts';

/** Claims as they stand in a token; raw members are the exact JSON text. */
export type TokenClaims = Wire<GenTokenClaims>;

/** What a token is for: the same claim means something in one kind and nothing in the other (tokens.md §4, §5). */
export type TokenKind = 'connection' | 'subscription';

const UNKNOWN_CLAIMS: Readonly<Record<TokenKind, readonly string[]>> = {
  connection: ['client', 'data', 'b64data', 'override', 'allow'],
  subscription: ['channels', 'subs', 'meta', 'caps'],
};

/** Not of the reference's open edition: applications may have claims of these names, and such a claim grants nothing. */
const GRANTS = ['caps', 'allow'];

interface ClaimCodecs {
  readonly all: MessageCodec<TokenClaims>;
  readonly withoutGrants: MessageCodec<TokenClaims>;
}

function codecsOf(kind: TokenKind): ClaimCodecs {
  const without = UNKNOWN_CLAIMS[kind];
  return {
    all: compileCodec(TokenClaimsSchema, { json: 'api', without }),
    withoutGrants: compileCodec(TokenClaimsSchema, { json: 'api', without: [...without, ...GRANTS] }),
  };
}

const CODECS: Readonly<Record<TokenKind, ClaimCodecs>> = {
  connection: codecsOf('connection'),
  subscription: codecsOf('subscription'),
};

/**
 * Reads the payload of a token. Claims that its kind does not know are ignored, whatever they hold; without grants so are
 * capabilities. Throws ProtocolViolation where it is not JSON or a claim has a wrong type.
 */
export function readTokenClaims(payload: Uint8Array, kind: TokenKind, withGrants = true): TokenClaims {
  const { all, withoutGrants } = CODECS[kind];
  return (withGrants ? all : withoutGrants).readJson(payload);
}

import { TokenClaimsSchema, type TokenClaims as GenTokenClaims } from '../gen/token_pb.ts';
import { compileCodec } from '../wire/message-codec.ts';
import type { Wire } from '../wire/wire.ts';

/** Claims as they stand in a token; raw members are the exact JSON text. */
export type TokenClaims = Wire<GenTokenClaims>;

const codec = compileCodec(TokenClaimsSchema, { json: 'api' });

/** Reads the payload of a token. Throws ProtocolViolation where it is not JSON or a claim has a wrong type. */
export function readTokenClaims(payload: Uint8Array): TokenClaims {
  return codec.readJson(payload);
}

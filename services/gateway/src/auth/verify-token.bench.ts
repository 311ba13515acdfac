// node --conditions=development services/gateway/src/auth/verify-token.bench.ts — an HS256 token: ours beside bare jose.
import { createSecretKey } from 'node:crypto';
import { jwtVerify, SignJWT } from 'jose';
import { systemClock } from '@carillon/service-kit';
import { createStaticKeys } from './static-keys.ts';
import { createTokenVerifier } from './create-token-verifier.ts';

const ROUNDS = 5;
const TOKENS = 5000;
const SECRET = 'secret';
const settings = {
  hmacSecretKey: SECRET,
  hmacPreviousSecretKey: '',
  hmacPreviousSecretKeyValidUntil: 0,
  rsaPublicKey: '',
  ecdsaPublicKey: '',
  jwksPublicEndpoint: '',
  audience: '',
  audienceRegex: '',
  issuer: '',
  issuerRegex: '',
  userIdClaim: '',
  skipSignatureVerify: false,
};

const verifier = await createTokenVerifier({
  connection: settings,
  subscription: undefined,
  isKnownChannel: () => true,
  clock: systemClock,
  createKeys: (of) => createStaticKeys(of, systemClock),
});
const key = createSecretKey(Buffer.from(SECRET));
const tokens = await Promise.all(
  Array.from({ length: TOKENS }, (_, user) =>
    new SignJWT({ sub: String(user), info: { name: `user ${user}` } })
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime('1h')
      .sign(key),
  ),
);

/** CPU of the whole process for each token, µs. */
async function cpuPerToken(verify: (token: string) => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  for (const token of tokens) await verify(token);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / TOKENS;
}

for (let round = 1; round <= ROUNDS; round++) {
  const ours = await cpuPerToken((token) => verifier.verifyConnectToken(token));
  const bare = await cpuPerToken((token) => jwtVerify(token, key));
  console.log(
    `round ${round}: carillon ${ours.toFixed(1)} µs, jose ${bare.toFixed(1)} µs, ratio ${(ours / bare).toFixed(2)}`,
  );
}

import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';
import { importSPKI } from 'jose';
import { OperationalError, type Clock } from '@carillon/service-kit';
import type { KeySource } from './key-source.ts';
import type { TokenSettings } from './token-settings.ts';
import type { VerificationKey } from './verify-signature.ts';

const HMAC_ALGORITHMS = ['HS256', 'HS384', 'HS512'] as const;
const RSA_ALGORITHMS = ['RS256', 'RS384', 'RS512'] as const;
const ECDSA_ALGORITHMS: Readonly<Record<string, string>> = {
  prime256v1: 'ES256',
  secp384r1: 'ES384',
  secp521r1: 'ES512',
};

/** Smallest RSA key that jose verifies with, bits. */
const MIN_RSA_BITS = 2048;

/** Keys from configuration (tokens.md §3.1), imported once. Rejects with `bad_token_key` naming what is wrong. */
export async function createStaticKeys(settings: TokenSettings, clock: Clock): Promise<KeySource> {
  const keys = new Map<string, VerificationKey[]>();
  if (settings.hmacSecretKey !== '') addHmac(keys, settings.hmacSecretKey);
  if (settings.rsaPublicKey !== '') await addRsa(keys, publicKey(settings.rsaPublicKey, 'rsa_public_key'));
  if (settings.ecdsaPublicKey !== '') await addEcdsa(keys, publicKey(settings.ecdsaPublicKey, 'ecdsa_public_key'));
  const previous = new Map<string, VerificationKey[]>();
  if (settings.hmacPreviousSecretKey !== '') addHmac(previous, settings.hmacPreviousSecretKey);
  const { hmacPreviousSecretKeyValidUntil: validUntil } = settings;

  return {
    async keysFor({ alg }) {
      const current = keys.get(alg) ?? [];
      const old = previous.get(alg);
      if (old === undefined || (validUntil > 0 && clock.now() / 1000 > validUntil)) return current;
      return [...current, ...old];
    },
  };
}

function addHmac(keys: Map<string, VerificationKey[]>, secret: string): void {
  const key = createSecretKey(secret, 'utf8');
  for (const alg of HMAC_ALGORITHMS) keys.set(alg, [key]);
}

async function addRsa(keys: Map<string, VerificationKey[]>, key: KeyObject): Promise<void> {
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (key.asymmetricKeyType !== 'rsa') throw badKey('rsa_public_key holds no RSA key');
  if (bits < MIN_RSA_BITS) throw badKey(`rsa_public_key has ${bits} bits, at least ${MIN_RSA_BITS} are needed`);
  for (const alg of RSA_ALGORITHMS) keys.set(alg, [await importSPKI(spki(key), alg)]);
}

async function addEcdsa(keys: Map<string, VerificationKey[]>, key: KeyObject): Promise<void> {
  const alg = ECDSA_ALGORITHMS[key.asymmetricKeyDetails?.namedCurve ?? ''];
  if (key.asymmetricKeyType !== 'ec' || alg === undefined) {
    throw badKey('ecdsa_public_key holds no key of the curves P-256, P-384, P-521');
  }
  keys.set(alg, [await importSPKI(spki(key), alg)]);
}

function publicKey(pem: string, option: string): KeyObject {
  if (pem.includes('PRIVATE KEY')) throw badKey(`${option} holds a private key: only the public key belongs here`);
  try {
    return createPublicKey(pem);
  } catch (cause) {
    throw badKey(`${option} can't be read as PEM`, cause);
  }
}

function spki(key: KeyObject): string {
  return key.export({ type: 'spki', format: 'pem' }).toString();
}

function badKey(message: string, cause?: unknown): OperationalError {
  return new OperationalError('bad_token_key', message, { cause, retriable: false });
}

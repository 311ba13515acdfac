import { createHash } from 'node:crypto';
import type { Ban, BanKey } from '../../ban-list.ts';

/** What a message of the ban stream says. */
export type BanRecord = { readonly kind: 'put'; readonly ban: Ban } | { readonly kind: 'remove'; readonly key: BanKey };

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The subject token of a ban: of one length whatever the key, which itself is in the record. */
export function banToken(key: BanKey): string {
  return createHash('sha256')
    .update(JSON.stringify(keyParts(key)))
    .digest('base64url');
}

export function encodeBanRecord(record: BanRecord): Uint8Array {
  return encoder.encode(JSON.stringify(record));
}

/** Undefined for what this version does not know. */
export function decodeBanRecord(bytes: Uint8Array): BanRecord | undefined {
  let wire: WireRecord;
  try {
    wire = JSON.parse(decoder.decode(bytes)) as WireRecord;
  } catch {
    // Not ours, as any other record that can't be read.
    return undefined;
  }
  if (wire?.kind === 'remove') {
    const key = readKey(wire.key);
    return key === undefined ? undefined : { kind: 'remove', key };
  }
  if (wire?.kind !== 'put') return undefined;
  const ban = readBan(wire.ban);
  return ban === undefined ? undefined : { kind: 'put', ban };
}

interface WireRecord {
  readonly kind?: unknown;
  readonly key?: WireBan | null;
  readonly ban?: WireBan | null;
}

interface WireBan {
  readonly kind?: unknown;
  readonly user?: unknown;
  readonly tokenId?: unknown;
  readonly channel?: unknown;
  readonly issuedBefore?: unknown;
  readonly expireAt?: unknown;
}

function keyParts(key: BanKey): readonly string[] {
  switch (key.kind) {
    case 'user':
      return ['user', key.user];
    case 'token':
      return ['token', key.tokenId];
    case 'user_tokens':
      return ['user_tokens', key.user, key.channel];
  }
}

function readKey(wire: WireBan | null | undefined): BanKey | undefined {
  const { kind, user, tokenId, channel } = wire ?? {};
  if (kind === 'user' && typeof user === 'string') return { kind, user };
  if (kind === 'token' && typeof tokenId === 'string') return { kind, tokenId };
  if (kind === 'user_tokens' && typeof user === 'string' && typeof channel === 'string') return { kind, user, channel };
  return undefined;
}

function readBan(wire: WireBan | null | undefined): Ban | undefined {
  const key = readKey(wire);
  const { expireAt, issuedBefore } = wire ?? {};
  if (key === undefined || typeof expireAt !== 'number') return undefined;
  if (key.kind !== 'user_tokens') return { ...key, expireAt };
  return typeof issuedBefore === 'number' ? { ...key, issuedBefore, expireAt } : undefined;
}

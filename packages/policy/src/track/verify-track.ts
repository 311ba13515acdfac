import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

import { INTERNAL_ERROR, PERMISSION_DENIED, TOKEN_EXPIRED, UNKNOWN_CHANNEL } from '@carillon/protocol/codes';

import type { ChannelFacts } from '../channel/channel-rules.ts';
import { refuse, type Refusal } from '../decide/refusal.ts';

/** `shared_poll.hmac_…`; empty strings where not configured. */
export interface TrackSecrets {
  readonly current: string;
  /** Tried when the current one does not fit. */
  readonly previous: string;
  /** Unix seconds; signatures issued later must be made with the current secret. 0: no limit. */
  readonly previousValidUntil: number;
}

export interface TrackQuestion {
  readonly channel: ChannelFacts | undefined;
  /** As the client sent it: `<iat>:<exp>:<hex>`. */
  readonly signature: string;
  readonly user: string;
  /** In the order of the request, which is part of what is signed. */
  readonly keys: readonly string[];
  readonly secrets: TrackSecrets;
  /** Unix seconds. */
  readonly now: number;
}

/** Signatures are taken so long after they expired. */
const LEEWAY_SECONDS = 5;
const FORM = /^(?<iat>\d{1,15}):(?<exp>\d{1,15}):(?<mac>[0-9a-f]{64})$/;
const SEPARATOR = '\u0000';

/** Whether a client may track these keys of a shared poll channel (tokens.md §8.6): undefined where it may. */
export function verifyTrack(question: TrackQuestion): Refusal | undefined {
  const { channel, signature, secrets, now } = question;
  if (channel === undefined) return refuse(UNKNOWN_CHANNEL);
  if (channel.options.subscriptionType !== 'shared_poll') return refuse(PERMISSION_DENIED);
  if (secrets.current === '') return refuse(INTERNAL_ERROR);
  const { iat, exp, mac } = FORM.exec(signature)?.groups ?? {};
  if (iat === undefined || exp === undefined || mac === undefined) return refuse(PERMISSION_DENIED);
  const signed = signedText(question, channel.name, { iat, exp });
  if (!isSigned(signed, mac, secrets, Number(iat))) return refuse(PERMISSION_DENIED);
  return Number(exp) > 0 && Number(exp) + LEEWAY_SECONDS < now ? refuse(TOKEN_EXPIRED) : undefined;
}

function signedText(
  { user, keys }: TrackQuestion,
  channel: string,
  { iat, exp }: { iat: string; exp: string },
): string {
  const keysHash = createHash('sha256').update(keys.join(SEPARATOR)).digest('hex');
  return [iat, exp, user, channel, keysHash].join(SEPARATOR);
}

function isSigned(text: string, mac: string, secrets: TrackSecrets, issuedAt: number): boolean {
  if (isMacOf(text, mac, secrets.current)) return true;
  if (secrets.previous === '' || !isMacOf(text, mac, secrets.previous)) return false;
  return secrets.previousValidUntil <= 0 || issuedAt <= secrets.previousValidUntil;
}

function isMacOf(text: string, mac: string, secret: string): boolean {
  return timingSafeEqual(createHmac('sha256', secret).update(text).digest(), Buffer.from(mac, 'hex'));
}

import type { BanView, TokenFacts } from './bans.ts';

/** `expireAt` is in Unix seconds; 0 = for ever. */
export type Ban =
  | { readonly kind: 'user'; readonly user: string; readonly expireAt: number }
  | { readonly kind: 'token'; readonly tokenId: string; readonly expireAt: number }
  | {
      readonly kind: 'user_tokens';
      readonly user: string;
      /** '' = tokens of connections and of subscriptions; else only subscription tokens of this channel. */
      readonly channel: string;
      /** Unix seconds: tokens with an `iat` below it are refused. */
      readonly issuedBefore: number;
      readonly expireAt: number;
    };

/** What a ban is about: a new ban with the same key takes the place of the older one. */
export type BanKey =
  | { readonly kind: 'user'; readonly user: string }
  | { readonly kind: 'token'; readonly tokenId: string }
  | { readonly kind: 'user_tokens'; readonly user: string; readonly channel: string };

interface Invalidation {
  readonly issuedBefore: number;
  readonly expireAt: number;
}

/** The bans of a cluster in memory. Ended ones count for nothing, and go with the next `dropEnded`. */
export class BanList implements BanView {
  readonly #users: Map<string, number> = new Map();
  readonly #tokens: Map<string, number> = new Map();
  /** By user, then by channel. */
  readonly #userTokens: Map<string, Map<string, Invalidation>> = new Map();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  isUserBlocked(user: string, nowS: number): boolean {
    return isRunning(this.#users.get(user), nowS);
  }

  isTokenRevoked({ user, tokenId, issuedAt, channel }: TokenFacts, nowS: number): boolean {
    if (tokenId !== undefined && isRunning(this.#tokens.get(tokenId), nowS)) return true;
    const ofUser = this.#userTokens.get(user);
    if (ofUser === undefined) return false;
    const isInvalid = (rule: Invalidation | undefined): boolean =>
      rule !== undefined && issuedAt < rule.issuedBefore && isRunning(rule.expireAt, nowS);
    return isInvalid(ofUser.get('')) || (channel !== undefined && channel !== '' && isInvalid(ofUser.get(channel)));
  }

  has(key: BanKey): boolean {
    switch (key.kind) {
      case 'user':
        return this.#users.has(key.user);
      case 'token':
        return this.#tokens.has(key.tokenId);
      case 'user_tokens':
        return this.#userTokens.get(key.user)?.has(key.channel) ?? false;
    }
  }

  put(ban: Ban): void {
    if (!this.has(ban)) this.#size += 1;
    switch (ban.kind) {
      case 'user':
        this.#users.set(ban.user, ban.expireAt);
        return;
      case 'token':
        this.#tokens.set(ban.tokenId, ban.expireAt);
        return;
      case 'user_tokens': {
        let ofUser = this.#userTokens.get(ban.user);
        if (ofUser === undefined) this.#userTokens.set(ban.user, (ofUser = new Map()));
        ofUser.set(ban.channel, { issuedBefore: ban.issuedBefore, expireAt: ban.expireAt });
      }
    }
  }

  remove(key: BanKey): void {
    if (!this.has(key)) return;
    this.#size -= 1;
    switch (key.kind) {
      case 'user':
        this.#users.delete(key.user);
        return;
      case 'token':
        this.#tokens.delete(key.tokenId);
        return;
      case 'user_tokens': {
        const ofUser = this.#userTokens.get(key.user);
        ofUser?.delete(key.channel);
        if (ofUser?.size === 0) this.#userTokens.delete(key.user);
      }
    }
  }

  /** Forgets bans that have ended. Looks at all of them: for once in a while. */
  dropEnded(nowS: number): void {
    for (const [user, expireAt] of this.#users) if (!isRunning(expireAt, nowS)) this.remove({ kind: 'user', user });
    for (const [tokenId, expireAt] of this.#tokens) {
      if (!isRunning(expireAt, nowS)) this.remove({ kind: 'token', tokenId });
    }
    for (const [user, ofUser] of this.#userTokens) {
      for (const [channel, { expireAt }] of ofUser) {
        if (!isRunning(expireAt, nowS)) this.remove({ kind: 'user_tokens', user, channel });
      }
    }
  }
}

/** Whether a ban with this end still counts; undefined: there is none. */
export function isRunning(expireAt: number | undefined, nowS: number): boolean {
  return expireAt !== undefined && (expireAt === 0 || expireAt > nowS);
}

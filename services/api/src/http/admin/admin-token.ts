import { createHmac } from 'node:crypto';
import type { Clock } from '@carillon/service-kit';
import { createKeyComparison } from '../../key-comparison.ts';

/** As long as that of the reference server. */
const LIFETIME_S = 30 * 86_400;

/** What an admin shows instead of the password. Every instance with the secret knows it, also after a restart. */
export interface AdminTokens {
  issue(): string;
  isValid(token: string): boolean;
}

export function createAdminTokens(secret: string, clock: Pick<Clock, 'now'>): AdminTokens {
  const sign = (issuedAtS: string): string =>
    createHmac('sha256', secret).update(`admin|authorized|${issuedAtS}`).digest('base64url');
  return {
    issue() {
      const issuedAtS = String(Math.floor(clock.now() / 1000));
      return `${issuedAtS}.${sign(issuedAtS)}`;
    },
    isValid(token) {
      const [, issuedAtS = '', signature = ''] = /^(\d{1,12})\.([\w-]+)$/.exec(token) ?? [];
      const ageS = clock.now() / 1000 - Number(issuedAtS);
      return issuedAtS !== '' && ageS <= LIFETIME_S && createKeyComparison(sign(issuedAtS))(signature);
    },
  };
}

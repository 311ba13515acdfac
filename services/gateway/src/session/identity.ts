import type { Capabilities } from '@carillon/policy';

/** Who a connection is, from whatever authenticated it (tokens.md §6). Replaced as a whole by a refresh. */
export interface Identity {
  /** '' = anonymous. */
  readonly user: string;
  readonly source: 'token' | 'proxy' | 'anonymous' | 'header';
  /** Unix seconds; 0 = never expires. */
  readonly expireAt: number;
  /** `conn_info`, as it is shown to others. */
  readonly info: Uint8Array | undefined;
  /** Kept on the server; shown to proxies that ask for it. */
  readonly meta: Uint8Array | undefined;
  /** tokens.md §10. */
  readonly capabilities: Capabilities;
  /** `jti` of the connection token. */
  readonly tokenId: string | undefined;
  /** `iat` of the connection token, Unix seconds; 0 = unknown. */
  readonly issuedAt: number;
}

/** What a recovering client says and hears, in either encoding. */
export interface Publication {
  readonly offset: number;
  /** Given with offset 1 only. */
  readonly epoch: string;
  /** The data, or the patch to the data before. */
  readonly text: string;
  readonly isPatch?: boolean | undefined;
  /** Whether it came as a string (JSON). Undefined where there is no difference. */
  readonly isString?: boolean | undefined;
}

export interface SubscribeResult {
  readonly epoch: string;
  readonly offset: number;
  readonly recoverable: boolean;
  readonly wasRecovering: boolean;
  readonly recovered: boolean;
  readonly hasDelta: boolean;
  readonly publications: readonly Publication[];
}

export interface Push {
  readonly channel: string;
  readonly publication?: Publication | undefined;
  readonly unsubscribeCode?: number | undefined;
}

export interface Reply {
  /** 0 for a push or ping. */
  readonly id: number;
  readonly error?: { readonly code: number; readonly message: string; readonly temporary: boolean } | undefined;
  /** Server-side subscriptions. */
  readonly connect?: ReadonlyMap<string, SubscribeResult> | undefined;
  readonly subscribe?: SubscribeResult | undefined;
  readonly push?: Push | undefined;
  readonly isPing: boolean;
}

/** Where a client was. */
export interface Position {
  readonly epoch: string;
  readonly offset: number;
}

/** What a subscriber may ask for: patches, or only the publications of a tag. */
export type Wish = { readonly kind: 'delta' } | { readonly kind: 'tag'; readonly tag: string };

export interface ConnectCommand {
  readonly token: string;
  readonly recover: ReadonlyMap<string, Position>;
}

export interface SubscribeCommand {
  readonly channel: string;
  readonly recover?: Position | undefined;
  readonly wants?: Wish | undefined;
}

export interface Wire {
  readonly subprotocols: readonly string[];
  readonly pong: string | Uint8Array;
  connect(id: number, command: ConnectCommand): string | Uint8Array;
  subscribe(id: number, command: SubscribeCommand): string | Uint8Array;
  publish(id: number, command: { readonly channel: string; readonly data: string }): string | Uint8Array;
  decode(frame: Buffer): Reply[];
}

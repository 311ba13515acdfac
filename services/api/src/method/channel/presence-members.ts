import type { ClientInfo, PresenceResult } from '@carillon/protocol/api';

/**
 * The result of `presence`. Codecs find the message in it as in any other; who writes members by themselves spares making
 * an object of thousands of keys.
 */
export class PresenceMembers implements PresenceResult {
  /** By client id. */
  readonly members: ReadonlyMap<string, ClientInfo>;
  #presence: Record<string, ClientInfo> | undefined = undefined;

  constructor(members: ReadonlyMap<string, ClientInfo>) {
    this.members = members;
  }

  get presence(): Record<string, ClientInfo> {
    this.#presence ??= Object.fromEntries(this.members);
    return this.#presence;
  }
}

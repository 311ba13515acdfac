import type { OwnEntries } from './own-entries.ts';
import type { PresenceStore } from './presence-store.ts';
import { NoStreamError } from './stream-request.ts';

/** Removals that share an acknowledgement. */
const MAX_SHARED = 256;
/** Removals that are to be looked at; while there are as many, none shares. */
const MAX_UNVERIFIED = 50_000;
/** Looked at together; when one of them is found, all are written again. */
const VERIFIED_TOGETHER = 500;

type Member = readonly [channel: string, client: string];

export interface LeavingEntriesDeps {
  readonly store: Pick<PresenceStore, 'remove' | 'hasAny'>;
  readonly own: OwnEntries;
  /** Calls back when the turn ends, with what it publishes. */
  readonly atTurnEnd: (fn: () => void) => void;
}

/** The removals of one turn, by subject. */
interface Group {
  readonly members: Map<string, Member>;
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Entries on their way out of the stream: those of one turn share the acknowledgement of the last, since clients that leave
 * mostly do so in crowds. A server that is overrun may drop one of them and take the last, so `verify` looks once more.
 */
export class LeavingEntries {
  readonly #store: LeavingEntriesDeps['store'];
  readonly #own: OwnEntries;
  readonly #atTurnEnd: LeavingEntriesDeps['atTurnEnd'];
  #group: Group | undefined;
  #unverified: Map<string, Member> = new Map();

  constructor({ store, own, atTurnEnd }: LeavingEntriesDeps) {
    this.#store = store;
    this.#own = own;
    this.#atTurnEnd = atTurnEnd;
  }

  /** Resolves when the stream has it no more, as far as can be told; rejects with what `store.remove` rejects with. */
  takeOut(subject: string, member: Member): Promise<void> {
    let group = this.#group;
    if (group === undefined) {
      this.#group = group = { members: new Map(), ...Promise.withResolvers<void>() };
      this.#atTurnEnd(() => this.#send());
    }
    group.members.set(subject, member);
    if (group.members.size >= (this.#unverified.size < MAX_UNVERIFIED ? MAX_SHARED : 1)) this.#send();
    return group.promise;
  }

  /** Call before an entry of the subject is written: a removal that still waits is the older one. */
  precede(subject: string): void {
    if (this.#group?.members.has(subject) === true) this.#send();
  }

  /** Gives those that are in the stream all the same, perhaps with some that are not. Rejections leave them for next time. */
  async verify(): Promise<readonly Member[]> {
    const removed = [...this.#unverified].filter(
      ([, [channel, client]]) => this.#own.get(channel, client) === undefined,
    );
    const before = this.#unverified;
    this.#unverified = new Map();
    const left: Member[] = [];
    try {
      for (let start = 0; start < removed.length; start += VERIFIED_TOGETHER) {
        const some = removed.slice(start, start + VERIFIED_TOGETHER);
        if (await this.#store.hasAny(some.map(([subject]) => subject))) left.push(...some.map(([, member]) => member));
      }
    } catch (error) {
      if (error instanceof NoStreamError) return [];
      for (const [subject, member] of before) this.#note(subject, member);
      throw error;
    }
    return left;
  }

  #send(): void {
    const group = this.#group;
    this.#group = undefined;
    if (group === undefined) return;
    const { members } = group;
    this.#store.remove(...members.keys()).then(() => {
      // Who was alone has been acknowledged for itself.
      if (members.size > 1) for (const [subject, member] of members) this.#note(subject, member);
      group.resolve();
    }, group.reject);
  }

  #note(subject: string, member: Member): void {
    if (this.#unverified.size < MAX_UNVERIFIED + MAX_SHARED) this.#unverified.set(subject, member);
  }
}

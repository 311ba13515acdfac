import type { CommandReach } from '../../control.ts';

/** Counts the nodes that say that they have applied a command. */
export class CommandTally {
  readonly #waiting: Set<string>;
  readonly #reached: string[] = [];
  readonly #failed: string[] = [];
  readonly #complete: PromiseWithResolvers<void> = Promise.withResolvers();
  #sessions = 0;

  /** @param nodes ids of those that are known; the answers of others count too, but nobody waits for them. */
  constructor(nodes: Iterable<string>) {
    this.#waiting = new Set(nodes);
    this.#resolveIfComplete();
  }

  get isComplete(): boolean {
    return this.#waiting.size === 0;
  }

  /** Resolves when no node is waited for. */
  get complete(): Promise<void> {
    return this.#complete.promise;
  }

  /** @param sessions undefined: the node failed. */
  answered(node: string, sessions: number | undefined): void {
    this.#waiting.delete(node);
    if (sessions === undefined) {
      this.#failed.push(node);
    } else {
      this.#reached.push(node);
      this.#sessions += sessions;
    }
    this.#resolveIfComplete();
  }

  /** The node left, or was given up: there are no sessions on it any more. */
  gone(node: string): void {
    this.#waiting.delete(node);
    this.#resolveIfComplete();
  }

  result(): CommandReach {
    return { sessions: this.#sessions, reached: this.#reached, missing: [...this.#failed, ...this.#waiting] };
  }

  #resolveIfComplete(): void {
    if (this.isComplete) this.#complete.resolve();
  }
}

/** Answers undefined while all is well, or the reason why not. Called on each probe: cheap, no I/O, does not throw. */
export type HealthCheck = () => string | undefined;

export interface HealthReport {
  readonly ok: boolean;
  /** `name: reason` of each check that fails, in the order in which the checks were added. */
  readonly reasons: readonly string[];
}

/** The named conditions under which this process should get traffic. */
export class Health {
  readonly #checks: Map<string, HealthCheck> = new Map();

  /** Adds a check; a second one of the same name is a bug. */
  add(name: string, check: HealthCheck): void {
    if (this.#checks.has(name)) throw new Error(`health check ${name} exists already`);
    this.#checks.set(name, check);
  }

  remove(name: string): void {
    this.#checks.delete(name);
  }

  report(): HealthReport {
    const reasons: string[] = [];
    for (const [name, check] of this.#checks) {
      const reason = check();
      if (reason !== undefined) reasons.push(`${name}: ${reason}`);
    }
    return { ok: reasons.length === 0, reasons };
  }
}

const KEPT_VIOLATIONS = 25;

/** What a run has counted, and every rule that it has seen broken. */
export class Verdict {
  readonly violations: string[] = [];
  readonly counts: Record<string, number> = {};
  #numViolations = 0;

  get numViolations(): number {
    return this.#numViolations;
  }

  violate(message: string): void {
    this.#numViolations += 1;
    if (this.violations.length < KEPT_VIOLATIONS) this.violations.push(message);
  }

  count(name: string, by = 1): void {
    this.counts[name] = (this.counts[name] ?? 0) + by;
  }

  /** Keeps the largest. */
  max(name: string, value: number): void {
    this.counts[name] = Math.max(this.counts[name] ?? 0, Math.round(value));
  }

  counted(name: string): number {
    return this.counts[name] ?? 0;
  }
}

const isVerbose = process.env['CHAOS_VERBOSE'] !== undefined;
const startedAt = performance.now();

/** What a run checks before it ends; more of it with `npm run test:chaos`. */
export const DELIVERIES: number = Number(process.env['CHAOS_DELIVERIES'] ?? '100000');
/** A run that has not checked as many by then fails. */
export const DEADLINE_MS: number = Number(process.env['CHAOS_DEADLINE_MS'] ?? '150000');
export const NUM_CLIENTS: number = Number(process.env['CHAOS_CLIENTS'] ?? '96');
/** Look for further violations after the first. */
export const GOES_ON: boolean = process.env['CHAOS_GO_ON'] !== undefined;

/** Tells of a run's progress, with CHAOS_VERBOSE. */
export function say(line: string): void {
  if (isVerbose) process.stderr.write(`${((performance.now() - startedAt) / 1_000).toFixed(1)} s: ${line}\n`);
}

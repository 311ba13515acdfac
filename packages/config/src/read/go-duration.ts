/** Durations as Go writes them. */

const NS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Milliseconds of a Go duration (`1h30m`, `-2.5s`, `0`), or undefined if it is none: every other number needs a unit. */
export function parseDuration(input: string): number | undefined {
  const [, sign, body] = /^([+-]?)(.+)$/.exec(input.trim()) ?? [];
  if (body === undefined) return undefined;
  if (body === '0') return 0;
  if (!/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(body)) return undefined;
  let total = 0;
  for (const [, amount, unit] of body.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g)) {
    total += Number(amount) * (NS[unit ?? ''] ?? 0);
  }
  // Sums of binary fractions leave dust: long durations are cut to microseconds, short ones to nanoseconds.
  const scale = total < 1e9 ? 1e6 : 1e3;
  const rounded = Math.round(total * scale) / scale;
  return sign === '-' ? 0 - rounded : rounded;
}

/** The text Go prints for a duration in milliseconds: `168h0m0s`, `1m30s`, `1.5s`, `20ms`, `0s`. */
export function formatGoDuration(durationMs: number): string {
  if (durationMs === 0) return '0s';
  const sign = durationMs < 0 ? '-' : '';
  const ms = Math.abs(durationMs);
  if (ms < 1e-3) return `${sign}${Math.round(ms * 1e6)}ns`;
  if (ms < 1) return `${sign}${trim(ms * 1e3, 3)}µs`;
  if (ms < 1000) return `${sign}${trim(ms, 6)}ms`;
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor((ms % 3_600_000) / 60_000);
  const seconds = `${trim((ms % 60_000) / 1000, 9)}s`;
  if (hours > 0) return `${sign}${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${sign}${minutes}m${seconds}` : `${sign}${seconds}`;
}

function trim(value: number, digits: number): string {
  return Number(value.toFixed(digits)).toString();
}

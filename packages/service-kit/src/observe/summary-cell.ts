import type { MetricValue } from './histogram-cell.ts';

/** Each power of two is cut into so many parts: a quantile is within 1 % of the value that was observed. */
const PARTS = 64;
/** Powers of two that are told apart: from some tens of nanoseconds to hours, where the unit is a second. */
const MIN_EXPONENT = -25;
const MAX_EXPONENT = 15;
const SIZE = (MAX_EXPONENT - MIN_EXPONENT) * PARTS;

type Labels = Readonly<Record<string, string>>;

/**
 * Quantiles of all that was observed, by counting values of about the same size. An observation is a logarithm and an
 * addition, where a digest that keeps centroids costs microseconds.
 */
export class SummaryCell {
  readonly #percentiles: readonly number[];
  /** Made by the first observation: most sets of labels never have one. */
  #counts: Uint32Array | undefined = undefined;
  #sum = 0;
  #count = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;

  constructor(percentiles: readonly number[]) {
    this.#percentiles = percentiles;
  }

  observe(value: number): void {
    this.#counts ??= new Uint32Array(SIZE);
    const index = indexOf(value);
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#sum += value;
    this.#count += 1;
    if (value < this.#min) this.#min = value;
    if (value > this.#max) this.#max = value;
  }

  values(name: string, labels: Labels): MetricValue[] {
    return [
      ...this.#percentiles.map((quantile) => ({ labels: { quantile, ...labels }, value: this.#quantile(quantile) })),
      { metricName: `${name}_sum`, labels, value: this.#sum },
      { metricName: `${name}_count`, labels, value: this.#count },
    ];
  }

  /** 0 where nothing was observed. */
  #quantile(quantile: number): number {
    const rank = quantile * this.#count;
    let below = 0;
    for (const [index, count] of (this.#counts ?? []).entries()) {
      below += count;
      if (count > 0 && below >= rank) return Math.min(this.#max, Math.max(this.#min, middleOf(index)));
    }
    return 0;
  }
}

/** Zero, negative and tiny values are the smallest, whatever else does not fit the largest. */
function indexOf(value: number): number {
  if (!(value > 0)) return 0;
  const index = Math.floor((Math.log2(value) - MIN_EXPONENT) * PARTS);
  return index < 0 ? 0 : Math.min(index, SIZE - 1);
}

function middleOf(index: number): number {
  return 2 ** ((index + 0.5) / PARTS + MIN_EXPONENT);
}

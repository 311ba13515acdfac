/** One line of a metric as prom-client writes it. */
export interface MetricValue {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  /** Default: the name of the metric. */
  readonly metricName?: string | undefined;
}

type Labels = Readonly<Record<string, string>>;

/** Counts observations by upper bound. An observation is a few comparisons and additions: fit for every request. */
export class HistogramCell {
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #sum = 0;
  #count = 0;

  /** @param bounds ascending */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = bounds.map(() => 0);
  }

  observe(value: number): void {
    const bounds = this.#bounds;
    let index = 0;
    // Most values are below the first bounds, so a search from the start is the fast one.
    while (index < bounds.length && value > (bounds[index] ?? 0)) index += 1;
    if (index < bounds.length) this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#sum += value;
    this.#count += 1;
  }

  values(name: string, labels: Labels): MetricValue[] {
    const values: MetricValue[] = [];
    let below = 0;
    for (const [index, le] of this.#bounds.entries()) {
      below += this.#counts[index] ?? 0;
      values.push({ metricName: `${name}_bucket`, labels: { le, ...labels }, value: below });
    }
    values.push({ metricName: `${name}_bucket`, labels: { le: '+Inf', ...labels }, value: this.#count });
    values.push({ metricName: `${name}_sum`, labels, value: this.#sum });
    values.push({ metricName: `${name}_count`, labels, value: this.#count });
    return values;
  }
}

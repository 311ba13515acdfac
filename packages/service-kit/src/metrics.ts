import { Counter, Gauge, Registry, collectDefaultMetrics, type Metric } from 'prom-client';
import { withUpstreamLabels } from './observe/upstream-labels.ts';
import { HistogramCell, type MetricValue } from './observe/histogram-cell.ts';
import { SummaryCell } from './observe/summary-cell.ts';

/** A counter with its labels already looked up. An increment is one addition: fit for the hot loop. */
export interface CounterCell {
  /** Adds `amount`, 1 by default; never negative. */
  inc(amount?: number): void;
}

/** A gauge with its labels already looked up. */
export interface GaugeCell {
  set(value: number): void;
  inc(amount?: number): void;
  dec(amount?: number): void;
}

/** A histogram or summary with its labels already looked up. Seconds for durations. */
export interface ObserverCell {
  observe(value: number): void;
}

type Labels<L extends string> = Readonly<Record<L, string>>;

/** A metric; `with` gives the cell of one set of labels: call it once and keep the cell, not once an event. */
export interface Family<L extends string, Cell> {
  with(labels: Labels<L>): Cell;
  /** Forgets a set of labels. Cells of it that are still held go on counting into nothing. */
  remove(labels: Labels<L>): void;
}

export interface MetricOptions<L extends string> {
  /** Without the prefix, in snake_case, with its unit: `gateway_deliveries_total`. */
  readonly name: string;
  readonly help: string;
  /** Names of labels, bounded sets of values each. Default: none. */
  readonly labels?: readonly L[] | undefined;
}

export interface GaugeOptions<L extends string> extends MetricOptions<L> {
  /** Read when the metrics are rendered, for a value that something else keeps anyway; sets the cell without labels. */
  readonly read?: (() => number) | undefined;
}

export interface HistogramOptions<L extends string> extends MetricOptions<L> {
  /** Upper bounds, ascending. Default: from 0.5 ms to 10 s. */
  readonly buckets?: readonly number[] | undefined;
}

export interface SummaryOptions<L extends string> extends MetricOptions<L> {
  readonly percentiles?: readonly number[] | undefined;
}

/** The metrics of one process. Made once by `compose` and passed on; there is no global registry. */
export interface Metrics {
  counter<L extends string = never>(options: MetricOptions<L>): Family<L, CounterCell>;
  gauge<L extends string = never>(options: GaugeOptions<L>): Family<L, GaugeCell>;
  histogram<L extends string = never>(options: HistogramOptions<L>): Family<L, ObserverCell>;
  summary<L extends string = never>(options: SummaryOptions<L>): Family<L, ObserverCell>;
  /** The same registry under another prefix. */
  withPrefix(prefix: string): Metrics;
  render(): Promise<{ contentType: string; body: string }>;
}

export interface CreateMetricsOptions {
  /** Before each name, joined with `_`; empty for none. */
  readonly prefix: string;
  /** Also CPU, memory, event loop and garbage collection of the process, under their usual names. Default: true. */
  readonly withProcessMetrics?: boolean | undefined;
  /**
   * Shows each metric under this prefix as well, so that dashboards made for another system go on working; with the labels,
   * empty, that the other system has in its place and we have not, in its order.
   * Default: none.
   */
  readonly alsoPrefix?: string | undefined;
}

const DURATION_BUCKETS_SECONDS: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/** Every look wakes the event loop: at the default of 10 ms that alone costs an idle server one percent of a core. */
const EVENT_LOOP_PRECISION_MS = 100;

export function createMetrics({ prefix, withProcessMetrics = true, alsoPrefix }: CreateMetricsOptions): Metrics {
  const registry = new Registry();
  if (withProcessMetrics) {
    collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: EVENT_LOOP_PRECISION_MS });
  }
  const metrics = makersFor(registry, prefix);
  if (alsoPrefix === undefined) return metrics;
  return { ...metrics, render: async () => withCopies(await metrics.render(), prefix, alsoPrefix) };
}

type Rendered = Awaited<ReturnType<Metrics['render']>>;

/** Each line that names a metric of `prefix` once more with the other one; samples and their comments alike. */
function withCopies({ contentType, body }: Rendered, prefix: string, alsoPrefix: string): Rendered {
  const own = new RegExp(`^(# (?:HELP|TYPE) )?${prefix}_`);
  const copies = body.split('\n').filter((line) => own.test(line));
  const renamed = copies.map((line) => {
    const copy = withUpstreamLabels(line, line.match(own)?.[0].length ?? 0);
    return copy.replace(own, (_match, comment = '') => `${comment}${alsoPrefix}_`);
  });
  return { contentType, body: `${body}${renamed.join('\n')}\n` };
}

function makersFor(registry: Registry, prefix: string, counters: Map<string, unknown> = new Map()): Metrics {
  const configure = <L extends string>({ name, help, labels = [] }: MetricOptions<L>) => ({
    name: prefix === '' ? name : `${prefix}_${name}`,
    help,
    labelNames: [...labels],
    registers: [registry],
  });
  return {
    counter: (options) => sharedCounter(counters, configure(options)),
    gauge: (options) => gaugeFamily(configure(options), options.read),
    histogram: (options) => {
      const bounds = [...(options.buckets ?? DURATION_BUCKETS_SECONDS)];
      return observerFamily(configure(options), 'histogram', () => new HistogramCell(bounds));
    },
    summary: (options) => {
      const percentiles = [...(options.percentiles ?? [0.5, 0.99, 0.999])];
      return observerFamily(configure(options), 'summary', () => new SummaryCell(percentiles));
    },
    withPrefix: (other) => makersFor(registry, other, counters),
    render: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
  };
}

interface Configuration<L extends string> {
  name: string;
  help: string;
  labelNames: L[];
  registers: Registry[];
}

// prom-client looks labels up by a hash on every increment, also in what its `labels()` returns. Cells keep a plain
// number instead, and hand it over when the metrics are collected.
class PendingCounter implements CounterCell {
  #pending = 0;

  inc(amount = 1): void {
    this.#pending += amount;
  }

  take(): number {
    const taken = this.#pending;
    this.#pending = 0;
    return taken;
  }
}

class PendingGauge implements GaugeCell {
  value = 0;

  set(value: number): void {
    this.value = value;
  }

  inc(amount = 1): void {
    this.value += amount;
  }

  dec(amount = 1): void {
    this.value -= amount;
  }
}

/** Two parts of a process may count under one name: both get the same family. */
function sharedCounter<L extends string>(
  counters: Map<string, unknown>,
  configuration: Configuration<L>,
): Family<L, CounterCell> {
  const known = counters.get(configuration.name);
  // The labels of one name are the same everywhere: the library refuses others when they are used.
  if (known !== undefined) return known as Family<L, CounterCell>;
  const made = counterFamily(configuration);
  counters.set(configuration.name, made);
  return made;
}

function counterFamily<L extends string>(configuration: Configuration<L>): Family<L, CounterCell> {
  const cells = new CellTable<L, PendingCounter>(() => new PendingCounter());
  const counter = new Counter<L>({
    ...configuration,
    collect: () => cells.each((labels, cell) => counter.inc(labels, cell.take())),
  });
  return {
    with: (labels) => cells.get(labels),
    remove: (labels) => cells.remove(labels, () => counter.remove(labels)),
  };
}

function gaugeFamily<L extends string>(configuration: Configuration<L>, read?: () => number): Family<L, GaugeCell> {
  const cells = new CellTable<L, PendingGauge>(() => new PendingGauge());
  const gauge = new Gauge<L>({
    ...configuration,
    collect: () => {
      if (read !== undefined) gauge.set(read());
      cells.each((labels, cell) => gauge.set(labels, cell.value));
    },
  });
  return { with: (labels) => cells.get(labels), remove: (labels) => cells.remove(labels, () => gauge.remove(labels)) };
}

interface CountingCell extends ObserverCell {
  values(name: string, labels: Readonly<Record<string, string>>): MetricValue[];
}

// prom-client's own observers cost 2 µs an observation, for labels and, in summaries, a digest. Ours count by themselves
// and are to the registry a metric that is asked for its lines.
function observerFamily<L extends string>(
  { name, help, labelNames, registers }: Configuration<L>,
  type: 'histogram' | 'summary',
  make: () => CountingCell,
): Family<L, ObserverCell> {
  const cells = new CellTable<L, CountingCell>(make);
  const lines = (): MetricValue[] => {
    const values: MetricValue[] = [];
    cells.each((labels, cell) => values.push(...cell.values(name, labels)));
    return values;
  };
  const metric = { name, help, type, aggregator: 'sum', get: async () => ({ name, help, type, values: lines() }) };
  // The registry calls nothing but `get`; its type names the classes of the library.
  for (const registry of registers) registry.registerMetric(metric as unknown as Metric);
  if (labelNames.length === 0) cells.get({} as Labels<L>);
  return { with: (labels) => cells.get(labels), remove: (labels) => cells.remove(labels, () => undefined) };
}

/** One cell for each set of labels. */
class CellTable<L extends string, Cell> {
  readonly #make: () => Cell;
  readonly #cells: Map<string, { labels: Labels<L>; cell: Cell }> = new Map();

  constructor(make: () => Cell) {
    this.#make = make;
  }

  get(labels: Labels<L>): Cell {
    const key = keyOf(labels);
    let row = this.#cells.get(key);
    if (row === undefined) {
      row = { labels: { ...labels }, cell: this.#make() };
      this.#cells.set(key, row);
    }
    return row.cell;
  }

  remove(labels: Labels<L>, forget: () => void): void {
    if (this.#cells.delete(keyOf(labels))) forget();
  }

  each(visit: (labels: Labels<L>, cell: Cell) => void): void {
    for (const { labels, cell } of this.#cells.values()) visit(labels, cell);
  }
}

function keyOf(labels: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

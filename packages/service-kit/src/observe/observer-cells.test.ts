import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HistogramCell } from './histogram-cell.ts';
import { SummaryCell } from './summary-cell.ts';

const durations = fc.array(fc.double({ min: 1e-6, max: 1_000, noNaN: true }), { minLength: 1, maxLength: 200 });

describe('a histogram cell', () => {
  it('counts what is not above each bound', () => {
    const bounds = [0.001, 0.1, 1];
    fc.assert(
      fc.property(durations, (observed) => {
        const cell = new HistogramCell(bounds);
        for (const value of observed) cell.observe(value);
        const counts = cell.values('x', {}).filter(({ metricName }) => metricName === 'x_bucket');
        const expected = [...bounds, Number.POSITIVE_INFINITY].map((le) => observed.filter((it) => it <= le).length);
        expect(counts.map(({ value }) => value)).toEqual(expected);
      }),
    );
  });
});

describe('a summary cell', () => {
  it('gives quantiles within one percent', () => {
    fc.assert(
      fc.property(durations, (observed) => {
        const cell = new SummaryCell([0.5, 0.99]);
        for (const value of observed) cell.observe(value);
        const sorted = observed.toSorted((a, b) => a - b);
        for (const { labels, value } of cell.values('x', {}).slice(0, 2)) {
          const exact = sorted[Math.ceil(Number(labels['quantile']) * sorted.length) - 1] ?? 0;
          expect(Math.abs(value - exact) / exact).toBeLessThan(0.011);
        }
      }),
    );
  });

  it('takes any number, and is zero before the first', () => {
    const cell = new SummaryCell([0.5]);
    expect(cell.values('x', {})[0]?.value).toBe(0);
    for (const value of [0, -1, 1e-30, 1e30, Number.POSITIVE_INFINITY, Number.NaN]) cell.observe(value);
    expect(cell.values('x', {}).at(-1)?.value).toBe(6);
  });
});

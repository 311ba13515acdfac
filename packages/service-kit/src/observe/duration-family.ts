import type { Family, MetricOptions, Metrics, ObserverCell } from '../metrics.ts';

/**
 * Durations under a name as a summary, and as a histogram under the name with `_histogram` behind it.
 * compat: both forms exist upstream, the summary as deprecated (channels-and-config §4.2).
 */
export function durationFamily<L extends string>(metrics: Metrics, options: MetricOptions<L>): Family<L, ObserverCell> {
  const summaries = metrics.summary(options);
  const histograms = metrics.histogram({ ...options, name: `${options.name}_histogram` });
  return {
    with: (labels) => {
      const [inSummary, inHistogram] = [summaries.with(labels), histograms.with(labels)];
      return {
        observe: (seconds) => {
          inSummary.observe(seconds);
          inHistogram.observe(seconds);
        },
      };
    },
    remove: (labels) => {
      summaries.remove(labels);
      histograms.remove(labels);
    },
  };
}

import { THRESHOLDS } from './metrics.js';

/** Options of a scenario file. */
export const optionsOf = (scenarios, thresholds = {}) => ({
  scenarios,
  thresholds: { ...THRESHOLDS, ...thresholds },
  summaryTrendStats: ['avg', 'med', 'p(95)', 'p(99)', 'max', 'count'],
});

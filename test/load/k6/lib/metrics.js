// The figures of all scenarios, by the same names, so that runs can be compared.
import { Counter, Trend } from 'k6/metrics';

import { MAX_API_MS, MAX_DELIVERY_MS } from './settings.js';

export const connects = new Counter('carillon_connects');
export const connectFailures = new Counter('carillon_connect_failures');
export const connectTime = new Trend('carillon_connect_ms', true);
export const published = new Counter('carillon_published');
export const publishFailures = new Counter('carillon_publish_failures');
export const expected = new Counter('carillon_expected');
export const received = new Counter('carillon_received');
export const lost = new Counter('carillon_lost');
export const doubled = new Counter('carillon_doubled');
export const delivery = new Trend('carillon_delivery_ms', true);
export const reconnects = new Counter('carillon_reconnects');
export const recoveries = new Counter('carillon_recoveries');
export const recoveryFailures = new Counter('carillon_recovery_failures');

/** What must hold in every scenario. A counter that was never touched holds too. */
export const THRESHOLDS = {
  carillon_lost: ['count==0'],
  carillon_doubled: ['count==0'],
  carillon_connect_failures: ['count==0'],
  carillon_publish_failures: ['count==0'],
  carillon_recovery_failures: ['count==0'],
  carillon_delivery_ms: [`p(95)<${MAX_DELIVERY_MS}`],
  'http_req_duration{kind:publish}': [`p(95)<${MAX_API_MS}`],
  checks: ['rate==1'],
};

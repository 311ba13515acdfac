// The server API alone: publications into channels with history, as fast as so many callers in a row get answers. At the end each
// caller compares the offset of its channel with what it has published: an acknowledged publication is stored, and once.
// A watcher follows the channel of one of them: what it gets has no holes, and tells the time from publish to delivery.
import { check } from 'k6';

import { openClient } from './lib/client.js';
import { doubled, expected, lost, received } from './lib/metrics.js';
import { optionsOf } from './lib/options.js';
import { index } from './lib/roles.js';
import { call, publish } from './lib/server-api.js';
import { channelOf, DURATION_S, MAX_LATE_DELIVERY_MS, number } from './lib/settings.js';
import { summaryOf } from './lib/summary.js';
import { createOffsetTally } from './lib/tally.js';

const PUBLISHERS = number('PUBLISHERS', 16);
const BYTES = number('BYTES', 100);
/** Begins with the publishers; the last publications may still be on their way when they end. */
const WATCH_S = DURATION_S + 2;

export const options = optionsOf(
  {
    publishers: {
      executor: 'per-vu-iterations',
      exec: 'publisher',
      vus: PUBLISHERS,
      iterations: 1,
      maxDuration: `${DURATION_S + 30}s`,
    },
    watchers: {
      executor: 'per-vu-iterations',
      exec: 'watcher',
      vus: 1,
      iterations: 1,
      maxDuration: `${WATCH_S + 30}s`,
    },
  },
  // Publishing as fast as can be takes all of a machine that k6 shares with the cluster.
  { carillon_published: ['count>0'], carillon_delivery_ms: [`p(95)<${MAX_LATE_DELIVERY_MS}`] },
);

export function publisher() {
  const channel = channelOf(`api-${index()}`);
  const padding = 'x'.repeat(BYTES);
  const top = call('history', { channel, limit: 0 });
  const endsAt = Date.now() + DURATION_S * 1000;
  let count = 0;
  let isInOrder = true;
  while (Date.now() < endsAt) {
    const result = publish(channel, `${index()}-${endsAt}`, count, padding);
    if (result === undefined) continue;
    count += 1;
    isInOrder = isInOrder && result.offset === (top.offset || 0) + count;
  }
  const stored = (call('history', { channel, limit: 0 }).offset || 0) - (top.offset || 0);
  check(isInOrder, { 'offsets have no holes': (holds) => holds });
  expected.add(count);
  received.add(stored);
  lost.add(Math.max(0, count - stored));
  doubled.add(Math.max(0, stored - count));
}

export function watcher() {
  const channel = channelOf('api-0');
  const positions = {};
  const tally = createOffsetTally(positions);
  const client = openClient({
    user: 'watcher',
    channels: [channel],
    positions,
    onReady: () => tally.begin(channel),
    onPublication: (name, publication) => tally.take(name, publication),
  });
  setTimeout(() => client.close(), WATCH_S * 1000);
}
export const handleSummary = summaryOf('Publish by API');

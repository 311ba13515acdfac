// The server API alone: publications into channels with history, as fast as so many callers in a row get answers. At the end each
// caller compares the offset of its channel with what it has published: an acknowledged publication is stored, and once.
import { check } from 'k6';

import { doubled, expected, lost, received } from './lib/metrics.js';
import { optionsOf } from './lib/options.js';
import { index } from './lib/roles.js';
import { call, publish } from './lib/server-api.js';
import { channelOf, DURATION_S, number } from './lib/settings.js';
import { summaryOf } from './lib/summary.js';

const PUBLISHERS = number('PUBLISHERS', 16);
const BYTES = number('BYTES', 100);

export const options = optionsOf(
  {
    publishers: {
      executor: 'per-vu-iterations',
      exec: 'publisher',
      vus: PUBLISHERS,
      iterations: 1,
      maxDuration: `${DURATION_S + 30}s`,
    },
  },
  { carillon_published: ['count>0'] },
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
export const handleSummary = summaryOf('Publish by API');

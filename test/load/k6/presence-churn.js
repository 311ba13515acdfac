// Clients come and go in channels with presence. While they do, presence never shows more than there are; when all have gone, nobody.
// Publications go on meanwhile: what a client gets while it is there has no holes and does not come twice.
import { check, sleep } from 'k6';
import exec from 'k6/execution';

import { openClient } from './lib/client.js';
import { optionsOf } from './lib/options.js';
import { backendScenario, index } from './lib/roles.js';
import { call, publish } from './lib/server-api.js';
import { channelOf, DURATION_S, number } from './lib/settings.js';
import { summaryOf } from './lib/summary.js';
import { createOffsetTally } from './lib/tally.js';

const VUS = number('VUS', 50);
const CHANNELS = number('CHANNELS', 5);
const STAY_MS = number('STAY_MS', 500);
const GONE_WITHIN_S = number('GONE_WITHIN_S', 10);
const RATE = number('RATE', 10); // publications a second, over all channels

const channels = Array.from({ length: CHANNELS }, (_, n) => channelOf(`presence-${n}`));

export const options = optionsOf({
  churn: { executor: 'constant-vus', exec: 'churn', vus: VUS, duration: `${DURATION_S}s`, gracefulStop: '15s' },
  watch: { executor: 'constant-vus', exec: 'watch', vus: 1, duration: `${DURATION_S}s`, gracefulStop: '15s' },
  backend: backendScenario(RATE),
});

export function churn() {
  const own = [channels[index() % CHANNELS]];
  const positions = {};
  const tally = createOffsetTally(positions);
  const client = openClient({
    user: `churn-${index()}`,
    channels: own,
    positions,
    onReady: () => {
      tally.begin(own[0]);
      setTimeout(() => client.close(), STAY_MS * (0.5 + Math.random()));
    },
    onPublication: (channel, publication) => tally.take(channel, publication),
  });
}

export function backend() {
  const n = exec.scenario.iterationInTest;
  publish(channels[n % CHANNELS], 'backend', n);
}

export function watch() {
  for (const channel of channels) {
    const presence = call('presence', { channel });
    // A client that has just gone may still be listed beside the one that its virtual user has just opened.
    check(presence, {
      'presence answers': (answer) => answer !== undefined,
      'presence shows no more than there can be': (answer) => Object.keys(answer.presence || {}).length <= 2 * VUS,
    });
  }
  sleep(0.5);
}

export function teardown() {
  const left = () =>
    channels.reduce((sum, channel) => sum + ((call('presence_stats', { channel }) || {}).num_clients || 0), 0);
  let count = left();
  for (let waited = 0; count > 0 && waited < GONE_WITHIN_S; waited += 1) {
    sleep(1);
    count = left();
  }
  check(count, { 'nobody is left in presence': (number) => number === 0 });
}
export const handleSummary = summaryOf('Presence churn');

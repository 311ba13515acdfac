// Everybody at once: connections with a token and one subscription each, held for a while, ended, opened again. Publications go on
// meanwhile: what a client gets while it is there has no holes and does not come twice.
import exec from 'k6/execution';

import { optionsOf } from './lib/options.js';
import { openClient } from './lib/client.js';
import { backendScenario, index } from './lib/roles.js';
import { publish } from './lib/server-api.js';
import { channelOf, DURATION_S, MAX_LATE_DELIVERY_MS, number } from './lib/settings.js';
import { summaryOf } from './lib/summary.js';
import { createOffsetTally } from './lib/tally.js';

const VUS = number('VUS', 50);
const CONNECTIONS_PER_VU = number('CONNECTIONS_PER_VU', 20);
const HOLD_MS = number('HOLD_MS', 2000);
const MAX_CONNECT_MS = number('MAX_CONNECT_MS', 2000);
const RATE = number('RATE', 20); // publications a second, over all channels

const CHANNELS = Math.min(100, VUS * CONNECTIONS_PER_VU);
const nameOf = (slot) => channelOf(`storm-${slot % CHANNELS}`);

export const options = optionsOf(
  {
    storm: { executor: 'constant-vus', exec: 'storm', vus: VUS, duration: `${DURATION_S}s`, gracefulStop: '15s' },
    backend: backendScenario(RATE),
  },
  {
    carillon_connect_ms: [`p(95)<${MAX_CONNECT_MS}`],
    carillon_connects: ['count>0'],
    // A machine that connects clients as fast as it can has other things to do.
    carillon_delivery_ms: [`p(95)<${MAX_LATE_DELIVERY_MS}`],
  },
);

export function storm() {
  const clients = [];
  let ready = 0;
  const end = () => {
    for (const client of clients) client.close();
  };
  const giveUp = setTimeout(end, HOLD_MS + 10_000);
  for (let n = 0; n < CONNECTIONS_PER_VU; n += 1) {
    const slot = index() * CONNECTIONS_PER_VU + n;
    const positions = {};
    const tally = createOffsetTally(positions);
    const onReady = () => {
      tally.begin(nameOf(slot));
      ready += 1;
      if (ready < CONNECTIONS_PER_VU) return;
      clearTimeout(giveUp);
      setTimeout(end, HOLD_MS);
    };
    const onPublication = (channel, publication) => tally.take(channel, publication);
    clients.push(openClient({ user: `storm-${slot}`, channels: [nameOf(slot)], positions, onReady, onPublication }));
  }
}

export function backend() {
  const n = exec.scenario.iterationInTest;
  publish(nameOf(n), 'backend', n);
}
export const handleSummary = summaryOf('Connect storm');

// Everybody at once: connections with a token and one subscription each, held for a while, ended, opened again.
import { optionsOf } from './lib/options.js';
import { openClient } from './lib/client.js';
import { index } from './lib/roles.js';
import { channelOf, DURATION_S, number } from './lib/settings.js';
import { summaryOf } from './lib/summary.js';

const VUS = number('VUS', 50);
const CONNECTIONS_PER_VU = number('CONNECTIONS_PER_VU', 20);
const HOLD_MS = number('HOLD_MS', 2000);
const MAX_CONNECT_MS = number('MAX_CONNECT_MS', 2000);

export const options = optionsOf(
  { storm: { executor: 'constant-vus', exec: 'storm', vus: VUS, duration: `${DURATION_S}s`, gracefulStop: '15s' } },
  { carillon_connect_ms: [`p(95)<${MAX_CONNECT_MS}`], carillon_connects: ['count>0'] },
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
    const onReady = () => {
      ready += 1;
      if (ready < CONNECTIONS_PER_VU) return;
      clearTimeout(giveUp);
      setTimeout(end, HOLD_MS);
    };
    clients.push(openClient({ user: `storm-${slot}`, channels: [channelOf(`storm-${slot % 100}`)], onReady }));
  }
}
export const handleSummary = summaryOf('Connect storm');

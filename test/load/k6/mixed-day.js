// A day in minutes: users come in the morning and go in the evening. Each follows a lobby and a channel of its own, some write, some
// lose their connection and recover; the backend publishes all the time.
import { sleep } from 'k6';
import exec from 'k6/execution';

import { openClient } from './lib/client.js';
import { reconnects } from './lib/metrics.js';
import { optionsOf } from './lib/options.js';
import { backendScenario } from './lib/roles.js';
import { call, publish } from './lib/server-api.js';
import { channelOf, DURATION_S, MAX_LATE_DELIVERY_MS, number } from './lib/settings.js';
import { createOffsetTally } from './lib/tally.js';
import { summaryOf } from './lib/summary.js';

const USERS = number('USERS', 100);
const RATE = number('RATE', 10); // publications a second by the backend
const VISIT_MS = number('VISIT_MS', 10_000);
const WRITERS = number('WRITERS', 0.1); // share of the users that write; the namespace must let them
const BREAKS = number('BREAKS', 0.3); // share of the visits that lose their connection once

const lobby = channelOf('lobby');
const ownOf = (user) => channelOf(`user-${user}`);
const part = (share) => `${Math.max(1, Math.round(DURATION_S * share))}s`;

export const options = optionsOf(
  {
    users: {
      executor: 'ramping-vus',
      exec: 'visit',
      startVUs: 0,
      stages: [
        { duration: part(0.3), target: USERS },
        { duration: part(0.4), target: USERS },
        { duration: part(0.3), target: 0 },
      ],
      gracefulRampDown: '30s',
      gracefulStop: '30s',
    },
    backend: backendScenario(RATE),
  },
  // What was missed during a break is as old as the break was long.
  { carillon_delivery_ms: [`p(95)<${MAX_LATE_DELIVERY_MS}`] },
);

export function visit() {
  const user = exec.vu.idInTest;
  const channels = [lobby, ownOf(user)];
  const positions = {};
  const tally = createOffsetTally(positions);
  const endsAt = Date.now() + VISIT_MS * (0.5 + Math.random());
  const isWriter = Math.random() < WRITERS;
  let client;
  let isBroken = Math.random() >= BREAKS;
  const begin = () => {
    for (const channel of channels) tally.begin(channel);
    if (isWriter) client.publish(lobby, { vu: user, seq: Date.now(), at: Date.now() });
    if (isBroken) setTimeout(() => client.close(), Math.max(0, endsAt - Date.now()));
    else setTimeout(() => client.close(), (endsAt - Date.now()) / 2);
  };
  const connect = () => {
    client = openClient({
      user: `user-${user}`,
      channels,
      positions,
      onReady: begin,
      onPublication: (channel, publication) => tally.take(channel, publication),
      onClose,
    });
  };
  const onClose = () => {
    if (isBroken) return;
    isBroken = true;
    reconnects.add(1);
    setTimeout(connect, 200);
  };
  connect();
}

export function backend() {
  const n = exec.scenario.iterationInTest;
  if (n % 5 === 0) publish(lobby, 'backend', n);
  else publish(ownOf(1 + (n % USERS)), 'backend', n);
  if (n % 50 === 0) call('presence_stats', { channel: lobby });
  sleep(0);
}
export const handleSummary = summaryOf('Mixed day');

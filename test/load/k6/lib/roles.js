// The two roles of most scenarios. Numbers are fixed beforehand, so every subscriber knows what it has to get.
import exec from 'k6/execution';
import { sleep } from 'k6';

import { openClient } from './client.js';
import { publish } from './server-api.js';
import { createTally } from './tally.js';
import { DURATION_S, SETTLE_S, WARMUP_S } from './settings.js';

/** Subscribers are there first and stay until they have everything, at most so long. */
const LIFE_S = WARMUP_S + 2 * DURATION_S + SETTLE_S;

/** One iteration for each virtual user. */
export const subscriberScenario = (vus) => ({
  executor: 'per-vu-iterations',
  exec: 'subscriber',
  vus,
  iterations: 1,
  maxDuration: `${LIFE_S + 10}s`,
});

export const publisherScenario = (vus) => ({
  executor: 'per-vu-iterations',
  exec: 'publisher',
  vus,
  iterations: 1,
  startTime: `${WARMUP_S}s`,
  maxDuration: `${2 * DURATION_S + SETTLE_S}s`,
});

/** Publishes at a rate for the whole run, for scenarios whose clients come and go. Needs an exported function `backend`. */
export const backendScenario = (rate) => ({
  executor: 'constant-arrival-rate',
  exec: 'backend',
  rate,
  timeUnit: '1s',
  duration: `${DURATION_S}s`,
  preAllocatedVUs: 4,
  maxVUs: 50,
});

/** Index of this virtual user within its scenario, from 0. */
export const index = () => exec.scenario.iterationInTest;

/** Follows `channels` on each of `connections` connections until `total` publications have come to each, or time is over. */
export function follow({ connections = 1, channelsOf, total, reconnectEveryMs }) {
  for (let n = 0; n < connections; n += 1) {
    const slot = index() * connections + n;
    followOne({ user: `load-${slot}`, channels: channelsOf(slot), total, reconnectEveryMs });
  }
}

function followOne({ user, channels, total, reconnectEveryMs }) {
  const tally = createTally(total);
  const positions = {};
  const endsAt = Date.now() + LIFE_S * 1000;
  let client;
  let isOver = false;
  const connect = () => {
    const onPublication = (channel, publication) => tally.take(channel, publication);
    client = openClient({ user, channels, positions, onPublication, onClose: () => again() });
  };
  // Also after an end that nobody asked for: what matters is what arrives.
  const again = () => {
    if (!isOver) setTimeout(() => !isOver && connect(), 100 + Math.random() * 400);
  };
  const watch = setInterval(() => {
    if (!tally.isComplete() && Date.now() < endsAt) return;
    isOver = true;
    clearInterval(watch);
    if (cut !== undefined) clearInterval(cut);
    // A moment for doubles that come late.
    setTimeout(() => {
      client.close();
      tally.close();
    }, 500);
  }, 200);
  const cut =
    reconnectEveryMs === undefined
      ? undefined
      : setInterval(() => client.isOpen() && client.close(), reconnectEveryMs * (0.5 + Math.random()));
  connect();
}

/** Publishes `count` times, evenly over the duration, to the channel that `channelOf(seq)` names. */
export function publishEvenly({ count, channelOf, padding }) {
  const startedAt = Date.now();
  for (let seq = 1; seq <= count; seq += 1) {
    const dueAt = startedAt + (seq * DURATION_S * 1000) / count;
    if (dueAt > Date.now()) sleep((dueAt - Date.now()) / 1000);
    publish(channelOf(seq), index(), seq, padding);
  }
}

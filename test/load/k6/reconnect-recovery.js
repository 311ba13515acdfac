// Subscribers whose connections break again and again while publications go on: recovery must give each of them each one, once.
import { optionsOf } from './lib/options.js';
import { follow, publishEvenly, publisherScenario, subscriberScenario } from './lib/roles.js';
import { channelOf, DURATION_S, MAX_LATE_DELIVERY_MS, number } from './lib/settings.js';
import { summaryOf } from './lib/summary.js';

const VUS = number('VUS', 20);
const CONNECTIONS_PER_VU = number('CONNECTIONS_PER_VU', 5);
const PUBLISHERS = number('PUBLISHERS', 2);
// What is missed during one break must be within history_size of the namespace (100).
const RATE = number('RATE', 20);
const RECONNECT_EVERY_MS = number('RECONNECT_EVERY_MS', 3000);

const each = Math.max(1, Math.floor((RATE * DURATION_S) / PUBLISHERS));
const channel = channelOf('recovery');

// The time that a connection was away is no latency of the server.
export const options = optionsOf(
  { subscribers: subscriberScenario(VUS), publishers: publisherScenario(PUBLISHERS) },
  { carillon_delivery_ms: [`p(95)<${MAX_LATE_DELIVERY_MS}`], carillon_recoveries: ['count>0'] },
);
export const subscriber = () =>
  follow({
    connections: CONNECTIONS_PER_VU,
    channelsOf: () => [channel],
    total: each * PUBLISHERS,
    reconnectEveryMs: RECONNECT_EVERY_MS,
  });
export const publisher = () => publishEvenly({ count: each, channelOf: () => channel });
export const handleSummary = summaryOf('Reconnect with recovery');

// One channel, many subscribers: each publication goes to all of them.
import { optionsOf } from './lib/options.js';
import { follow, publishEvenly, publisherScenario, subscriberScenario } from './lib/roles.js';
import { channelOf, DURATION_S, number } from './lib/settings.js';
import { summaryOf } from './lib/summary.js';

const VUS = number('VUS', 20);
const CONNECTIONS_PER_VU = number('CONNECTIONS_PER_VU', 10);
const PUBLISHERS = number('PUBLISHERS', 2);
const RATE = number('RATE', 20); // publications a second, of all publishers together
const BYTES = number('BYTES', 100);

const each = Math.max(1, Math.floor((RATE * DURATION_S) / PUBLISHERS));
const channel = channelOf('fan-out');

export const options = optionsOf({ subscribers: subscriberScenario(VUS), publishers: publisherScenario(PUBLISHERS) });
export const subscriber = () =>
  follow({ connections: CONNECTIONS_PER_VU, channelsOf: () => [channel], total: each * PUBLISHERS });
export const publisher = () => publishEvenly({ count: each, channelOf: () => channel, padding: 'x'.repeat(BYTES) });
export const handleSummary = summaryOf('Fan-out');

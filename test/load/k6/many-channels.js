// Many channels, few subscribers each: what a cluster of chats or of personal channels looks like.
import { optionsOf } from './lib/options.js';
import { follow, index, publishEvenly, publisherScenario, subscriberScenario } from './lib/roles.js';
import { channelOf, number } from './lib/settings.js';
import { summaryOf } from './lib/summary.js';

const VUS = number('VUS', 20);
const CHANNELS_PER_VU = number('CHANNELS_PER_VU', 10);
const PUBLISHERS = number('PUBLISHERS', 4);
const ROUNDS = number('ROUNDS', 3); // publications into each channel

// Two connections follow each channel: slot n the channels of n, and those of the next one.
const groups = VUS;
const name = (group, n) => channelOf(`many-${group}-${n}`);
const channelsOf = (slot) => {
  const near = [slot % groups, (slot + 1) % groups];
  return near.flatMap((group) => Array.from({ length: CHANNELS_PER_VU }, (_, n) => name(group, n)));
};
const all = Array.from({ length: groups * CHANNELS_PER_VU }, (_, n) =>
  name(Math.floor(n / CHANNELS_PER_VU), n % CHANNELS_PER_VU),
);
if (VUS < 2) throw new Error('VUS must be 2 or more');

export const options = optionsOf({ subscribers: subscriberScenario(VUS), publishers: publisherScenario(PUBLISHERS) });
export const subscriber = () => follow({ channelsOf, total: 2 * CHANNELS_PER_VU * ROUNDS });
export function publisher() {
  const own = all.filter((_, n) => n % PUBLISHERS === index());
  publishEvenly({ count: own.length * ROUNDS, channelOf: (seq) => own[seq % own.length] });
}
export const handleSummary = summaryOf('Many channels');

// Counts what one subscriber got against what was sent to it.
import { delivery, doubled, expected, lost, received } from './metrics.js';

/** For a subscriber that knows how many publications all publishers together will send it. */
export function createTally(total) {
  const seen = new Set();
  return {
    take(channel, { data }) {
      received.add(1);
      delivery.add(Date.now() - data.at);
      const key = `${channel} ${data.vu} ${data.seq}`;
      if (seen.has(key)) doubled.add(1);
      seen.add(key);
    },
    isComplete: () => seen.size >= total,
    /** Once, when the subscriber ends. */
    close() {
      expected.add(total);
      lost.add(Math.max(0, total - seen.size));
    },
  };
}

/** For one that does not know: offsets of a channel with history have no holes and never come twice. */
export function createOffsetTally(positions) {
  const last = new Map();
  return {
    take(channel, { data, offset }) {
      received.add(1);
      if (data && data.at) delivery.add(Date.now() - data.at);
      if (offset === undefined) return;
      const before = last.has(channel) ? last.get(channel) : offset - 1;
      expected.add(Math.max(0, offset - before));
      lost.add(Math.max(0, offset - before - 1));
      if (offset <= before) doubled.add(1);
      last.set(channel, Math.max(before, offset));
    },
    /** Called when a subscription begins: publications after its position are due. */
    begin(channel) {
      const position = positions[channel];
      if (position !== undefined && !last.has(channel)) last.set(channel, position.offset);
    },
  };
}

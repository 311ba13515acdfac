import { setTimeout as sleep } from 'node:timers/promises';

import { READER_ENDED, type RecoveringClient } from '../client/recovering-client.ts';
import type { ReferenceLog } from '../model/reference-log.ts';
import type { FaultScene } from './faults.ts';

// More than the buffers of both kernels and the queue of a client take, less than the history keeps.
const PUBLICATIONS = 120;
const PUBLICATION_CHARS = 60_000;
const PUBLISHES_AT_A_TIME = 6;
/** Less than the queue of a client takes: who reads, however slowly on a busy machine, is not to be ended. */
const MAX_AHEAD = 8;
const READERS_DEADLINE_MS = 30_000;
const POLL_MS = 20;

/** Half of those that hear of the floods stop to read while one comes; the others get all of it meanwhile. */
export async function floodSlowClients({ clients, logs, publisher, random, verdict }: FaultScene): Promise<void> {
  const log = [...logs.values()].find(({ rules }) => rules.isReserved === true);
  if (log === undefined) throw new Error('no channel for floods');
  // Patches are small, and filters leave little.
  const listeners = clients.filter(
    (client) => client.isReady && find(client, log)?.wants === undefined && hears(client, log),
  );
  const slow = random.shuffle(listeners).slice(0, Math.ceil(listeners.length / 2));
  const readers = listeners.filter((client) => !slow.includes(client));
  const endedBefore = verdict.counted(READER_ENDED);
  const startedAt = performance.now();
  for (const client of slow) client.pause();
  const lacks = (client: RecoveringClient): number => log.topAcknowledged - (find(client, log)?.position?.offset ?? 0);
  const untilReadersHave = async (lacking: number): Promise<void> => {
    while (readers.some((client) => lacks(client) > lacking) && performance.now() - startedAt < READERS_DEADLINE_MS) {
      await sleep(POLL_MS);
    }
  };
  let left = PUBLICATIONS;
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await untilReadersHave(MAX_AHEAD);
      await publisher.publish(log.rules.channel, PUBLICATION_CHARS);
    }
  };
  await Promise.all(Array.from({ length: PUBLISHES_AT_A_TIME }, worker));
  await untilReadersHave(0);
  if (readers.some((client) => lacks(client) > 0)) verdict.violate('readers waited for clients that do not read');
  if (verdict.counted(READER_ENDED) > endedBefore) verdict.violate('readers were ended with clients that do not read');
  verdict.max('ms until readers had a flood', performance.now() - startedAt);
  verdict.count('flooded slow clients', slow.filter((client) => lacks(client) > 0).length);
  for (const client of slow) client.resume();
}

function hears(client: RecoveringClient, log: ReferenceLog): boolean {
  return find(client, log) !== undefined;
}

function find({ subscriptions }: RecoveringClient, { rules }: ReferenceLog) {
  return subscriptions.find(({ channel }) => channel === rules.channel);
}

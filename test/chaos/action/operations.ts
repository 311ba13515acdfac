import type { Publisher } from './publisher.ts';
import type { RecoveringClient } from '../client/recovering-client.ts';
import type { Random } from '../random.ts';

export interface OperationScene {
  readonly publisher: Publisher;
  readonly clients: readonly RecoveringClient[];
  readonly channels: readonly string[];
  readonly random: Random;
}

interface Operation {
  readonly weight: number;
  readonly run: (scene: OperationScene) => Promise<void>;
}

const OPERATIONS: readonly Operation[] = [
  { weight: 30, run: ({ publisher, channels, random }) => publisher.publish(random.pick(channels)) },
  { weight: 10, run: ({ publisher, channels, random }) => publisher.publishUntilKnown(random.pick(channels)) },
  { weight: 10, run: hotBurst },
  { weight: 6, run: ({ publisher, channels, random }) => publisher.batch(some(channels, random, 30)) },
  {
    weight: 6,
    run: ({ publisher, channels, random }) => publisher.broadcast([...new Set(some(channels, random, 12))]),
  },
  { weight: 10, run: publishByClient },
  { weight: 6, run: ({ publisher, channels, random }) => publisher.readHistory(random.pick(channels)) },
  { weight: 2, run: ({ publisher, channels, random }) => publisher.removeHistory(random.pick(channels)) },
  { weight: 3, run: dropOne },
  { weight: 1, run: flood },
];

const TOTAL_WEIGHT = OPERATIONS.reduce((sum, { weight }) => sum + weight, 0);

/** One operation by chance; settles when its outcome is known. */
export function runOperation(scene: OperationScene): Promise<void> {
  let at = scene.random.next() * TOTAL_WEIGHT;
  const chosen = OPERATIONS.find(({ weight }) => {
    at -= weight;
    return at < 0;
  });
  return (chosen ?? scene.random.pick(OPERATIONS)).run(scene);
}

/** Many publishes into one channel at a time. */
async function hotBurst({ publisher, channels, random }: OperationScene): Promise<void> {
  const channel = random.pick(channels);
  await Promise.all(Array.from({ length: random.between(2, 40) }, () => publisher.publish(channel)));
}

/** Payloads so large that a client that does not read falls behind. */
async function flood({ publisher, channels, random }: OperationScene): Promise<void> {
  const channel = random.pick(channels);
  await Promise.all(Array.from({ length: random.between(5, 20) }, () => publisher.publish(channel, 30_000)));
}

function publishByClient({ publisher, clients, random }: OperationScene): Promise<void> {
  const client = random.pick(clients);
  const { channel } = random.pick(client.subscriptions);
  client.publish(channel, publisher.issueUntagged(channel));
  return Promise.resolve();
}

function dropOne({ clients, random }: OperationScene): Promise<void> {
  random.pick(clients).drop();
  return Promise.resolve();
}

function some(channels: readonly string[], random: Random, max: number): string[] {
  return Array.from({ length: random.between(2, max) }, () => random.pick(channels));
}

import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';

import { CHAOS_CONFIG, TWO_SIZED_KINDS, namespacesOf } from './channel-kinds.ts';
import { ChaosRun } from './chaos-run.ts';
import { say } from './chaos-settings.ts';
import { startChaosCluster, type ChaosCluster, type ChaosNode } from './cluster/chaos-cluster.ts';
import { seedOfRun } from './random.ts';

const NUM_CLIENTS = 48;
// Longer than a silent node is believed to live.
const DEAF_MS = 9_000;
const ROUND_MS = 3_500;
const MARK_PAUSE_MS = 120;
const CONFLICTS = /^carillon_\w*broker_append_conflicts_total(?:\{[^}]*\})? (\d+)/m;

/** From its next connection on it hears of no other node, though the log and all that it asks are as before. */
function makeDeaf({ proxy }: ChaosNode, prefix: string): { end: () => void } {
  let isDeaf = true;
  let own: string | undefined;
  // What a node hears first of all after it has connected is itself.
  proxy.lose((subject) => {
    if (!subject.startsWith(`${prefix}.n.`)) return false;
    own ??= subject;
    return isDeaf && subject !== own;
  });
  proxy.cut();
  return {
    end: () => {
      isDeaf = false;
    },
  };
}

/** Removals everywhere, and channels so quiet that their readers renew them. */
async function mark(run: ChaosRun, isOver: () => boolean): Promise<void> {
  const { publisher, random } = run;
  while (!isOver()) {
    await publisher.removeHistory(random.pick([...run.openChannels, ...run.reservedChannels]));
    await publisher.readHistory(random.pick(run.reservedChannels));
    if (random.isLucky(0.15)) await publisher.publish(random.pick(run.reservedChannels));
    await sleep(MARK_PAUSE_MS);
  }
}

async function configureAndStart(node: ChaosNode, isLarge: boolean): Promise<void> {
  node.configure(namespacesOf(TWO_SIZED_KINDS, isLarge));
  await node.kill();
  await node.start();
}

async function conflictsOf(nodes: readonly ChaosNode[]): Promise<number> {
  const pages = await Promise.all(nodes.map(async ({ process }) => (await fetch(`${process.url}/metrics`)).text()));
  return pages.reduce((sum, page) => sum + Number(CONFLICTS.exec(page)?.[1] ?? 0), 0);
}

async function disagree(run: ChaosRun, cluster: ChaosCluster): Promise<number> {
  const [one, other] = cluster.apis;
  if (one === undefined || other === undefined) throw new Error('two api instances are needed');
  run.note('one api instance hears of no other node');
  const deafness = makeDeaf(one, cluster.prefix);
  await sleep(DEAF_MS);
  run.note('the other api instance has larger histories');
  await configureAndStart(other, true);
  await sleep(ROUND_MS);
  run.note('and so have the gateways');
  for (const gateway of cluster.gateways) await configureAndStart(gateway, true);
  await sleep(ROUND_MS);
  const conflicts = await conflictsOf(cluster.apis);
  run.note('they change their sizes');
  await configureAndStart(other, false);
  await sleep(ROUND_MS);
  deafness.end();
  await configureAndStart(one, true);
  run.note('all hear of each other');
  await sleep(ROUND_MS);
  return conflicts;
}

test('api instances that both believe to own a channel, with histories of different sizes, write one log', async () => {
  const cluster = await startChaosCluster({ ...CHAOS_CONFIG, ...namespacesOf(TWO_SIZED_KINDS) });
  const run = new ChaosRun({ seed: seedOfRun(), cluster, numClients: NUM_CLIENTS, kinds: TWO_SIZED_KINDS });
  let isOver = false;
  try {
    await run.start();
    const marking = [1, 2, 3].map(() => mark(run, () => isOver));
    const conflicts = await disagree(run, cluster);
    isOver = true;
    await Promise.all(marking);
    await run.settle();
    say(`${conflicts} conflicts of writers\n${run.summary()}`);
    expect(run.verdict.violations.join('\n'), run.summary()).toBe('');
    expect(conflicts).toBeGreaterThan(100);
    expect(run.verdict.counted('removals')).toBeGreaterThan(100);
    expect(run.verdict.counted('deliveries')).toBeGreaterThan(NUM_CLIENTS * 100);
  } finally {
    isOver = true;
    run.close();
    await cluster.stop();
  }
}, 180_000);

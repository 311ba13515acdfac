import { setTimeout as sleep } from 'node:timers/promises';

import type { RecoveringClient } from '../client/recovering-client.ts';
import type { ChaosCluster, ChaosNode } from '../cluster/chaos-cluster.ts';
import type { ReferenceLog } from '../model/reference-log.ts';
import type { Verdict } from '../model/verdict.ts';
import type { Random } from '../random.ts';
import { floodSlowClients } from './flood.ts';
import type { Publisher } from './publisher.ts';

export interface FaultScene {
  readonly cluster: ChaosCluster;
  readonly clients: readonly RecoveringClient[];
  readonly logs: ReadonlyMap<string, ReferenceLog>;
  readonly publisher: Publisher;
  readonly random: Random;
  readonly verdict: Verdict;
}

/** Breaks something, and mends it before it settles. */
export type Fault = (scene: FaultScene) => Promise<void>;

const SLOW_CLIENTS = 0.15;

export const FAULTS: Readonly<Record<string, Fault>> = {
  'kill an api instance mid-append': ({ cluster, random }) => killAndStart(random.pick(cluster.apis), random),
  'freeze an api instance, so that another one writes too': ({ cluster, random }) =>
    freeze(random.pick(cluster.apis), random.between(1_000, 4_000)),
  'kill a gateway': ({ cluster, random }) => killAndStart(random.pick(cluster.gateways), random),
  'kill NATS and start it again': async ({ cluster, random }) => {
    await restartNats(cluster, random.between(0, 1_500));
  },
  'freeze NATS': async ({ cluster, random }) => {
    for (const server of cluster.servers) server.pause();
    await sleep(random.between(300, 2_500));
    for (const server of cluster.servers) server.resume();
  },
  'part a gateway from NATS': ({ cluster, random }) => part(random.pick(cluster.gateways), random),
  'part an api instance from NATS': ({ cluster, random }) => part(random.pick(cluster.apis), random),
  'lose what NATS sent to a gateway': ({ cluster, random }) => loseAnswers(random.pick(cluster.gateways), random),
  'lose acknowledgements of an api instance': ({ cluster, random }) => loseAnswers(random.pick(cluster.apis), random),
  'break all links to NATS': async ({ cluster }) => {
    for (const { proxy } of [...cluster.gateways, ...cluster.apis]) proxy.cut();
    await Promise.resolve();
  },
  'break all connections of clients': async ({ clients, random }) => {
    for (const client of clients) if (random.isLucky(0.8)) client.drop();
    await sleep(500);
  },
  'flood clients that do not read': floodSlowClients,
  'some clients stop reading': async ({ clients, random }) => {
    const slow = clients.filter(() => random.isLucky(SLOW_CLIENTS));
    for (const client of slow) client.pause();
    await sleep(random.between(500, 3_000));
    for (const client of slow) client.resume();
  },
};

/** Ends all servers as a power cut would, and starts them on what is on their disks. */
export async function restartNats({ servers }: ChaosCluster, downMs: number): Promise<void> {
  await Promise.all(servers.map((server) => server.kill9()));
  await sleep(downMs);
  await Promise.all(servers.map((server) => server.restart()));
}

export async function killAndStart(node: ChaosNode, random: Random): Promise<void> {
  await node.kill();
  await sleep(random.between(0, 1_000));
  await node.start();
}

async function freeze({ process }: ChaosNode, ms: number): Promise<void> {
  process.signal('SIGSTOP');
  await sleep(ms);
  process.signal('SIGCONT');
}

/** Bytes wait in the link, and arrive late or never. */
async function part({ proxy }: ChaosNode, random: Random): Promise<void> {
  proxy.setMode('hold');
  await sleep(random.between(200, 4_000));
  if (random.isLucky(0.5)) proxy.cut();
  proxy.setMode('pass');
}

/** What the node sends arrives, what comes back is lost. */
async function loseAnswers({ proxy }: ChaosNode, random: Random): Promise<void> {
  proxy.setMode('hold-answers');
  await sleep(random.between(100, 1_500));
  proxy.cut();
  proxy.setMode('pass');
}

import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';

import { FAULTS } from './action/faults.ts';
import { CHAOS_CONFIG } from './channel-kinds.ts';
import { ChaosRun } from './chaos-run.ts';
import { DEADLINE_MS, DELIVERIES, GOES_ON, NUM_CLIENTS, say } from './chaos-settings.ts';
import { SLOW_ENDED } from './client/recovering-client.ts';
import { startChaosCluster, type ChaosCluster } from './cluster/chaos-cluster.ts';
import { seedOfRun } from './random.ts';

/** Every fault once, then by chance until enough is delivered. Gives the names of those that ran. */
async function breakThings(run: ChaosRun, cluster: ChaosCluster): Promise<Set<string>> {
  const giveUpAt = performance.now() + DEADLINE_MS;
  const { verdict, clients, logs, publisher, random } = run;
  const seen = new Set<string>();
  let waiting: string[] = [];
  const isEnough = (): boolean =>
    seen.size === Object.keys(FAULTS).length && verdict.counted('deliveries') >= DELIVERIES;
  const isBroken = (): boolean => verdict.numViolations > 0 && !GOES_ON;
  while (!isEnough() && !isBroken() && performance.now() < giveUpAt) {
    if (waiting.length === 0) waiting = random.shuffle(Object.keys(FAULTS));
    const name = waiting.shift() ?? '';
    say(`${verdict.counted('deliveries')} deliveries; ${name}`);
    run.note(name);
    await FAULTS[name]?.({ cluster, clients, logs, publisher, random, verdict });
    seen.add(name);
    await sleep(random.between(200, 2_000));
  }
  return seen;
}

test(
  `every subscriber gets each publication once and in order, or is told, whatever breaks (${DELIVERIES} deliveries)`,
  async () => {
    const seed = seedOfRun();
    const cluster = await startChaosCluster(CHAOS_CONFIG);
    const run = new ChaosRun({ seed, cluster, numClients: NUM_CLIENTS });
    try {
      say('started');
      await run.start();
      const faults = await breakThings(run, cluster);
      say('settling');
      await run.settle();
      const { verdict } = run;
      say(run.summary());
      expect(verdict.violations.join('\n'), run.summary()).toBe('');
      expect(verdict.counted('deliveries'), run.summary()).toBeGreaterThanOrEqual(DELIVERIES);
      expect(faults).toEqual(new Set(Object.keys(FAULTS)));
      expect(verdict.counted('recovered'), run.summary()).toBeGreaterThan(NUM_CLIENTS);
      expect(verdict.counted('told that publications are lost'), run.summary()).toBeGreaterThan(0);
      for (const seen of [SLOW_ENDED, 'patches', 'filtered deliveries', 'recovered with delta', 'recovered with tag']) {
        expect(verdict.counted(seen), `${seen}\n${run.summary()}`).toBeGreaterThan(0);
      }
    } finally {
      run.close();
      await cluster.stop();
    }
  },
  DEADLINE_MS + 180_000,
);

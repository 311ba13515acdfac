import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startBackend, type Backend } from '../harness/backend.ts';
import type { Deployment } from '../harness/deployment.ts';
import { CONFIGS, type ConfigName } from './configs.ts';
import { answerAsBackend } from './conformance-backend.ts';
import { gapOf } from './known-gaps.ts';
import { ROWS } from './rows/index.ts';
import type { Scenario } from './scenario.ts';
import { Trial } from './trial.ts';

export interface Target {
  readonly kind: Deployment['kind'];
  readonly start: (config: Readonly<Record<string, unknown>>) => Promise<Deployment>;
}

/** Asks servers of one kind about every row, one server for each configuration. */
export function runScenarios({ kind, start }: Target): void {
  const names = [...new Set(ROWS.map(({ config }) => config ?? 'main'))];
  let backend: Backend | undefined;
  const servers: Map<ConfigName, Promise<Deployment>> = new Map();
  // The next server starts while the rows of this one run.
  const server = (name: ConfigName | undefined): Promise<Deployment> | undefined => {
    if (name === undefined) return undefined;
    const started = servers.get(name) ?? start(CONFIGS[name](backend?.url ?? ''));
    servers.set(name, started);
    started.catch(() => undefined as never);
    return started;
  };

  beforeAll(async () => {
    backend = await startBackend(answerAsBackend);
  });
  afterAll(async () => {
    for (const result of await Promise.allSettled(servers.values())) {
      if (result.status === 'fulfilled') await result.value.stop();
    }
    await backend?.stop();
  });

  describe.each(names)('configuration %s', (name) => {
    let current: Deployment | undefined;
    beforeAll(async () => {
      current = await server(name);
      void server(names[names.indexOf(name) + 1]);
    });
    afterAll(() => current?.stop());

    describe.concurrent('', () => {
      for (const scenario of ROWS.filter(({ config }) => (config ?? 'main') === name)) {
        testRow(scenario, kind, () => {
          if (current === undefined) throw new Error('no server');
          return new Trial(current, backend);
        });
      }
    });
  });
}

function testRow(scenario: Scenario, kind: Target['kind'], makeTrial: () => Trial): void {
  const gap = gapOf(scenario.id, kind);
  const run = async (): Promise<void> => {
    const trial = makeTrial();
    try {
      await scenario.steps(trial);
    } finally {
      trial.close();
    }
  };
  const title = `${scenario.id}: ${scenario.name}`;
  if (gap === undefined) it(title, run);
  else
    it(`${title} (known gap: ${gap.reason})`, () => expect(run(), 'works now: take it off the list').rejects.toThrow());
}

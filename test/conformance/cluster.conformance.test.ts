import { startNats, type TestNats } from '@carillon/dev-tools/test-nats';
import { afterAll, beforeAll, describe } from 'vitest';

import { startCluster } from '../harness/cluster.ts';
import { runScenarios } from './run-scenarios.ts';

// Clusters of all configurations share a NATS server, under subjects of their own.
describe('cluster', () => {
  let nats: TestNats | undefined;
  beforeAll(async () => {
    nats = await startNats();
  });
  afterAll(() => nats?.stop());
  runScenarios({ kind: 'cluster', start: (config) => startCluster({ config, nats, apis: 1 }) });
});

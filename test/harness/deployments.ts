import { startCluster, type StartClusterOptions } from './cluster.ts';
import type { Deployment } from './deployment.ts';
import { startStandalone } from './standalone.ts';

/** Both ways to run Carillon. A promise of an e2e file holds for each: `describe.each(DEPLOYMENTS)`. */
export const DEPLOYMENTS: readonly {
  readonly kind: Deployment['kind'];
  readonly start: (options?: StartClusterOptions) => Promise<Deployment>;
}[] = [
  { kind: 'standalone', start: ({ config } = {}) => startStandalone(config) },
  { kind: 'cluster', start: (options) => startCluster(options) },
];

import { startCluster, type StartClusterOptions } from './cluster.ts';
import type { Deployment } from './deployment.ts';
import { startStandalone } from './standalone.ts';

export type StartDeployment = (options?: StartClusterOptions) => Promise<Deployment>;

/** Both ways to run Carillon. A promise of an e2e file holds for each: `describe.each(DEPLOYMENTS)`. */
export const DEPLOYMENTS: readonly {
  readonly kind: Deployment['kind'];
  readonly start: StartDeployment;
}[] = [
  { kind: 'standalone', start: ({ config } = {}) => startStandalone(config) },
  { kind: 'cluster', start: (options) => startCluster(options) },
];

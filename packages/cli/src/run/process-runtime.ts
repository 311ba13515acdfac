import { hostname } from 'node:os';
import type { Config } from '@carillon/config';
import type { NodeIdentity, NodeRole } from '@carillon/cluster';
import { COMPAT_VERSION } from '@carillon/protocol/codes';
import {
  createLog,
  createMetrics,
  Health,
  Lifecycle,
  systemClock,
  type Clock,
  type Log,
  type Metrics,
} from '@carillon/service-kit';
import { openTracing, type Tracing } from '@carillon/service-kit/tracing';
import { ownVersion } from '../own-version.ts';

/** What every service of this process shares. Made once, before any service. */
export interface ProcessRuntime {
  readonly log: Log;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly lifecycle: Lifecycle;
  readonly node: NodeIdentity;
  /** Undefined: no traces, and nothing of OpenTelemetry is loaded. */
  readonly tracing: Tracing | undefined;
}

export async function createProcessRuntime(config: Config, role: NodeRole): Promise<ProcessRuntime> {
  const log = createLog({
    level: config.log.level,
    file: config.log.file,
    fields: { service: role },
    clock: systemClock,
  });
  const lifecycle = new Lifecycle({ log, drainTimeoutMs: config.shutdown.timeoutMs });
  const metrics = createMetrics({
    prefix: 'carillon',
    alsoPrefix: config.prometheus.upstreamNames ? 'centrifugo' : undefined,
  });
  const node = { name: nodeName(config), role, version: COMPAT_VERSION };
  const tracing = config.opentelemetry.enabled ? await openProcessTracing(node, log) : undefined;
  // The first to start is the last to stop: what the others still did is in the traces.
  if (tracing !== undefined) lifecycle.add({ name: 'traces', stop: () => tracing.close() });
  const health = new Health();
  health.add('lifecycle', () => lifecycle.check());
  metrics
    .gauge({ name: 'build_info', help: 'Always 1; the version is a label', labels: ['version'] })
    .with({
      version: ownVersion(),
    })
    .set(1);
  return {
    log,
    clock: systemClock,
    metrics,
    health,
    lifecycle,
    node,
    tracing,
  };
}

function openProcessTracing(node: NodeIdentity, log: Log): Promise<Tracing | undefined> {
  return openTracing({
    serviceName: `carillon-${node.role}`,
    serviceVersion: ownVersion(),
    node: node.name,
    log,
    env: process.env,
  });
}

/** compat: host and port, as upstream names a node that has no name of its own (server-api §7.10). */
export function nodeName(config: Config): string {
  return config.node.name === '' ? `${hostname()}_${config.httpServer.port}` : config.node.name;
}

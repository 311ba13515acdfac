import type { Config } from '@carillon/config';
import { meteredEngine, type CreateEngine } from '@carillon/cluster';
import { memoryEngine } from '@carillon/cluster/memory';
import { natsEngine } from '@carillon/cluster/nats';
import { OperationalError } from '@carillon/service-kit';
import type { ProcessRuntime } from './process-runtime.ts';

/** Of `nats.request_timeout`, what a publish may take: clients give up on a command after as long as its default is. */
const PUBLISH_SHARE = 0.7;

/** NATS where `nats.url` is set, else the memory of this process. */
export function chooseEngine(config: Config, runtime: ProcessRuntime): CreateEngine {
  if (config.nats.url.length > 0) return clusterEngine(config, runtime);
  return meteredEngine({ createEngine: memoryEngine(runtime), ...runtime });
}

/** The engine on NATS. Throws where no URL is configured: a service alone is part of a cluster. */
export function clusterEngine(config: Config, { clock, log, metrics, node }: ProcessRuntime): CreateEngine {
  const { nats } = config;
  if (nats.url.length === 0) {
    const message = `nats.url is not set: carillon ${node.role} is one service of a cluster, carillon serve runs all in one`;
    throw new OperationalError('no_nats_url', message, { retriable: false });
  }
  const createEngine = natsEngine({
    node,
    clock,
    log,
    metrics,
    connect: {
      url: nats.url,
      prefix: nats.prefix,
      shards: nats.shards,
      credsFile: given(nats.credentialsFile),
      nkeySeed: given(nats.nkeySeed),
      token: given(nats.token),
      user: given(nats.user),
      password: given(nats.password),
      name: `carillon-${node.role}`,
      tls: nats.tls.enabled ? tlsOf(nats.tls) : undefined,
      connectDeadlineMs: 2 * nats.connectTimeoutMs,
    },
    broker: {
      replicas: nats.replicas,
      storage: nats.storage === 'memory' ? 'memory' : 'file',
      publishDeadlineMs: PUBLISH_SHARE * nats.requestTimeoutMs,
    },
  });
  return meteredEngine({ createEngine, metrics, clock });
}

function given(text: string): string | undefined {
  return text === '' ? undefined : text;
}

function tlsOf(tls: Config['nats']['tls']) {
  return {
    ca: given(tls.serverCaPem),
    cert: given(tls.certPem),
    key: given(tls.keyPem),
    serverName: given(tls.serverName),
    insecureSkipVerify: tls.insecureSkipVerify,
  };
}

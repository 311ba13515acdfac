import { composeApi } from '@carillon/api/compose';
import { composeAuthPolicy } from '@carillon/auth-policy/compose';
import type { Config } from '@carillon/config';
import { composeGateway } from '@carillon/gateway/compose';
import { DEMO_CHANNEL, demoAssets } from '../demo/demo-page.ts';
import { signToken } from '../commands/sign-token.ts';
import type { CommandIo } from '../command-io.ts';
import { devBanner } from './dev-banner.ts';
import { chooseEngine } from './engine.ts';
import type { ProcessRuntime } from './process-runtime.ts';
import type { RunningServices } from './running-services.ts';

const DEMO_USER = 'demo';
const DEMO_TOKEN_TTL_S = 7 * 86_400;

/** All three services in one process on one port: no hop between them. */
export async function runStandalone(
  config: Config,
  runtime: ProcessRuntime,
  { io, isDev }: { readonly io: CommandIo; readonly isDev: boolean },
): Promise<RunningServices> {
  const { log, clock, metrics, health, lifecycle, tracing } = runtime;
  const policy = composeAuthPolicy({ config, log, clock, metrics, tracing });
  const gateway = await composeGateway({
    config,
    createEngine: chooseEngine(config, runtime),
    decisions: policy.decisions,
    log,
    clock,
    metrics,
    health,
    tracing,
    opsEndpoints: 'as_configured',
  });
  const { engine } = gateway;
  const api = composeApi({ config, ...engine, channels: gateway.channels, log, clock, metrics, tracing });
  gateway.mount((app) => api.mountAdmin(app), config.admin.external ? 'main' : 'internal');
  gateway.mount((app) => api.mountSwagger(app), 'internal');
  gateway.mount((app) => api.mount(app), config.httpApi.external ? 'main' : 'internal');
  const token = isDev ? await demoToken(config, io) : '';
  if (isDev) {
    for (const asset of demoAssets(token, DEMO_CHANNEL)) gateway.serve(asset);
  }
  lifecycle.add({
    name: 'gateway',
    start: async () => {
      await gateway.listen();
      await api.listenGrpc();
    },
    drain: (signal) => Promise.all([gateway.drain(signal), api.drain(signal)]),
    stop: async () => {
      await api.close();
      await gateway.close();
      await policy.close();
    },
  });
  return {
    async reload(next) {
      const channels = await gateway.reload(next);
      await api.useCertificates(next);
      policy.reload(next);
      api.updateChannels(channels, next);
    },
    onReady() {
      const scheme = config.httpServer.tls.enabled ? 'https' : 'http';
      const url = `${scheme}://localhost:${gateway.port()}`;
      if (isDev) io.stdout.write(devBanner({ config, token, channel: DEMO_CHANNEL, url }));
    },
  };
}

async function demoToken({ client }: Config, io: CommandIo): Promise<string> {
  const request = { user: DEMO_USER, ttlSeconds: DEMO_TOKEN_TTL_S, nowMs: io.now() };
  return signToken(request, client.token);
}

import { deploymentOf, API_KEY, type Deployment } from './deployment.ts';
import { startProcess, type Config } from './start-process.ts';
import { SECRET } from './token.ts';

/** What every test configuration starts from. */
export const BASE_CONFIG: Config = {
  client: { token: { hmac_secret_key: SECRET } },
  http_api: { key: API_KEY },
  health: { enabled: true },
  prometheus: { enabled: true },
  log: { level: 'warn' },
};

/** `carillon serve`: all services in one process, in memory. */
export async function startStandalone(config: Config = {}): Promise<Deployment> {
  const server = await startProcess({ command: 'serve', config: mergeConfig(BASE_CONFIG, config) });
  const processes = [server];
  return deploymentOf({ kind: 'standalone', gateways: processes, apis: processes, stop: () => server.stop() });
}

/** `extra` over `base`; groups are merged, everything else is replaced. */
export function mergeConfig(base: Config, extra: Config): Config {
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(extra)) {
    const old = merged[key];
    merged[key] = isGroup(old) && isGroup(value) ? mergeConfig(old, value) : value;
  }
  return merged;
}

function isGroup(value: unknown): value is Config {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

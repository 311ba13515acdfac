import type { ServerProcess } from './start-process.ts';
import { SECRET, secondsFromNow, signToken, type Claims } from './token.ts';
import type { TestNats } from '@carillon/dev-tools/test-nats';

export const API_KEY = 'k';

export interface ApiAnswer {
  readonly status: number;
  readonly body: ApiBody;
}

export interface ApiBody {
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly code: number; readonly message: string };
}

/** A running Carillon as its clients and backends see it: one process, or a cluster behind several addresses. */
export interface Deployment {
  readonly kind: 'standalone' | 'cluster';
  /** Processes that take clients. */
  readonly gateways: readonly ServerProcess[];
  /** Processes that serve the server API. */
  readonly apis: readonly ServerProcess[];
  readonly authPolicies: readonly ServerProcess[];
  readonly nats: TestNats | undefined;
  readonly apiKey: string;
  gatewayUrl(index?: number): string;
  apiUrl(index?: number): string;
  wsUrl(index?: number): string;
  /** Calls a server API method, by turns on each api unless `index` names one. */
  api(method: string, body?: unknown, index?: number): Promise<ApiAnswer>;
  /** A connection token of `user`, good for an hour. */
  token(user: string, claims?: Claims): string;
  /** A subscription token. */
  subToken(user: string, channel: string, claims?: Claims): string;
  killGateway(index: number): Promise<void>;
  stop(): Promise<void>;
}

export interface DeploymentParts {
  readonly kind: Deployment['kind'];
  readonly gateways: readonly ServerProcess[];
  readonly apis: readonly ServerProcess[];
  readonly authPolicies?: readonly ServerProcess[] | undefined;
  readonly nats?: TestNats | undefined;
  readonly secret?: string | undefined;
  readonly stop: () => Promise<void>;
}

const API_TIMEOUT_MS = 20_000;
const TOKEN_TTL_S = 3600;

export function deploymentOf({
  kind,
  gateways,
  apis,
  authPolicies = [],
  nats,
  secret,
  stop,
}: DeploymentParts): Deployment {
  let turn = 0;
  const sign = (claims: Claims): string => signToken(claims, { secret: secret ?? SECRET });
  const gatewayUrl = (index = 0): string => at(gateways, index).url;
  const apiUrl = (index = 0): string => at(apis, index).url;
  return {
    kind,
    gateways,
    apis,
    authPolicies,
    nats,
    apiKey: API_KEY,
    gatewayUrl,
    apiUrl,
    wsUrl: (index = 0) => `${gatewayUrl(index).replace('http', 'ws')}/connection/websocket`,
    async api(method, body = {}, index) {
      turn += 1;
      const response = await fetch(`${apiUrl(index ?? turn)}/api/${method}`, {
        method: 'POST',
        headers: { 'X-API-Key': API_KEY },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(API_TIMEOUT_MS),
      });
      const text = await response.text();
      return { status: response.status, body: text.startsWith('{') ? JSON.parse(text) : {} };
    },
    token: (user, claims = {}) => sign({ sub: user, exp: secondsFromNow(TOKEN_TTL_S), ...claims }),
    subToken: (user, channel, claims = {}) => sign({ sub: user, channel, exp: secondsFromNow(TOKEN_TTL_S), ...claims }),
    killGateway: (index) => at(gateways, index).kill(),
    stop,
  };
}

/** Counts round the list: a standalone server stands for every gateway and api. */
function at<T>(list: readonly T[], index: number): T {
  const item = list[index % list.length];
  if (item === undefined) throw new Error('the deployment has no such process');
  return item;
}

import type { ConnectionSummary, TokenSummary } from '@carillon/cluster';
import type {
  ConnectionInfo,
  ConnectionsRequest,
  ConnectionsResult,
  ConnectionTokenInfo,
} from '@carillon/protocol/api';
import { API_BAD_REQUEST, ApiError } from '@carillon/protocol/codes';
import { surveyAll } from '../cluster/survey.ts';
import type { MethodDeps, MethodHandler } from '../method-deps.ts';

/**
 * `connections` (server-api §8): the live connections of a user on all nodes; one that is silent fails the call. Error
 * 107 without a user, and for expressions and label filters, which there are none of.
 */
export function createConnections({
  control,
}: Pick<MethodDeps, 'control'>): MethodHandler<ConnectionsRequest, ConnectionsResult> {
  return async ({ user = '', expression = '', labelFilter }) => {
    if (user === '' || expression !== '' || labelFilter !== undefined) throw new ApiError(API_BAD_REQUEST);
    const answers = await surveyAll(control, { kind: 'connections', user });
    const found = answers.flatMap(({ connections }) => [...connections]);
    return { connections: Object.fromEntries(found.map(([client, it]) => [client, connectionInfo(it)])) };
  };
}

function connectionInfo(connection: ConnectionSummary): ConnectionInfo {
  return {
    appName: connection.appName,
    appVersion: connection.appVersion,
    transport: connection.transport,
    protocol: connection.protocol,
    user: connection.user,
    connectedAtMs: Math.floor(connection.connectedAt),
    pingPongLatencyMs: Math.round(connection.roundTripMs),
    state: {
      channels: mapValues(connection.channels, (source) => ({ source })),
      connectionToken: connection.connectionToken === undefined ? undefined : tokenInfo(connection.connectionToken),
      subscriptionTokens: mapValues(connection.subscriptionTokens, tokenInfo),
      meta: connection.meta,
    },
  };
}

function tokenInfo({ uid, issuedAt }: TokenSummary): ConnectionTokenInfo {
  return { uid, issuedAt: Math.floor(issuedAt) };
}

function mapValues<From, To>(map: ReadonlyMap<string, From>, convert: (from: From) => To): Record<string, To> {
  return Object.fromEntries([...map].map(([key, value]) => [key, convert(value)]));
}

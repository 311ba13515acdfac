import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startCluster } from '../harness/cluster.ts';
import type { ApiAnswer, Deployment } from '../harness/deployment.ts';
import { eventually } from '../harness/eventually.ts';
import { openOfficialClient, type OfficialClient } from '../harness/official-client.ts';

/** server-api §7.12: how long nodes have to answer. */
const SURVEY_DEADLINE_MS = 10_000;
const config = { channel: { without_namespace: { allow_subscribe_for_client: true } } };
const SURVEYS: readonly [string, object][] = [
  ['info', {}],
  ['channels', {}],
  ['connections', { user: 'u' }],
  ['get_user_status', { users: ['u'] }],
];

describe('a cluster with a gateway that stopped answering', () => {
  let server: Deployment;
  let client: OfficialClient;

  beforeAll(async () => {
    server = await startCluster({ config, gateways: 2, apis: 2, authPolicies: 0 });
    client = openOfficialClient({ url: server.wsUrl(0), token: server.token('u') });
    await client.connect();
    await client.subscribe('news');
  });
  afterAll(async () => {
    server.gateways[1]?.signal('SIGCONT');
    client.close();
    await server.stop();
  });

  const all = (): Promise<ApiAnswer[]> => Promise.all(SURVEYS.map(([method, request]) => server.api(method, request)));

  it('answers error 100 within the deadline, then without the gateway, and with it when it is back', async () => {
    for (const { body } of await all()) expect(body.error).toBeUndefined();

    server.gateways[1]?.signal('SIGSTOP');
    const askedAt = performance.now();
    for (const { status, body } of await all()) {
      expect(status).toBe(200);
      expect(body.error).toEqual({ code: 100, message: 'internal server error' });
    }
    expect(performance.now() - askedAt).toBeLessThan(SURVEY_DEADLINE_MS + 3_000);

    // By now the others have given it up: what is left answers, at once.
    const [info, channels, connections] = await eventually(async () => {
      const answers = await all();
      for (const { body } of answers) expect(body.error).toBeUndefined();
      return answers;
    }, 15_000);
    expect(info?.body.result?.['nodes']).toHaveLength(1);
    expect(channels?.body.result).toEqual({ channels: { news: { num_clients: 1 } } });
    expect(Object.keys(connections?.body.result?.['connections'] ?? {})).toHaveLength(1);

    server.gateways[1]?.signal('SIGCONT');
    await eventually(async () => {
      expect((await server.api('info')).body.result?.['nodes']).toHaveLength(2);
    }, 15_000);
  }, 90_000);
});

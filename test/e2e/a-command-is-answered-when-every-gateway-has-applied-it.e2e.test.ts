import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startCluster } from '../harness/cluster.ts';
import type { Deployment } from '../harness/deployment.ts';
import { eventually } from '../harness/eventually.ts';
import { openOfficialClient, type OfficialClient } from '../harness/official-client.ts';

/** How long nodes have to say that they have applied a command; then the call answers error 100. */
const COMMAND_DEADLINE_MS = 2_000;
const INTERNAL_ERROR = { code: 100, message: 'internal server error' };
const config = { channel: { without_namespace: { allow_subscribe_for_client: true } } };

describe('commands of the server API in a cluster', () => {
  let server: Deployment;
  const clients: OfficialClient[] = [];

  beforeAll(async () => {
    server = await startCluster({ config, gateways: 2, apis: 1, authPolicies: 0 });
  });
  afterAll(async () => {
    server.gateways[1]?.signal('SIGCONT');
    for (const client of clients) client.close();
    await server.stop();
  });

  async function clientAt(gateway: number, user: string): Promise<OfficialClient> {
    const client = openOfficialClient({ url: server.wsUrl(gateway), token: server.token(user) });
    clients.push(client);
    await client.connect();
    return client;
  }

  async function subscribers(channel: string): Promise<number> {
    const { body } = await server.api('channels', { pattern: channel });
    const found = body.result?.['channels'];
    const entry: unknown = typeof found === 'object' && found !== null ? Reflect.get(found, channel) : undefined;
    return typeof entry === 'object' && entry !== null ? Number(Reflect.get(entry, 'num_clients')) : 0;
  }

  it('are done on every gateway when the call is answered', async () => {
    await Promise.all([clientAt(0, 'u'), clientAt(1, 'u')]);
    for (let round = 0; round < 5; round += 1) {
      expect((await server.api('subscribe', { user: 'u', channel: 'news' })).body).toEqual({ result: {} });
      expect(await subscribers('news')).toBe(2);
      expect((await server.api('unsubscribe', { user: 'u', channel: 'news' })).body).toEqual({ result: {} });
      expect(await subscribers('news')).toBe(0);
    }
    expect((await server.api('disconnect', { user: 'u' })).body).toEqual({ result: {} });
    expect((await server.api('connections', { user: 'u' })).body.result).toEqual({ connections: {} });
  });

  it('answer error 100 where a session of any gateway could not be subscribed', async () => {
    await clientAt(1, 'late');
    const { body } = await server.api('subscribe', { user: 'late', channel: 'news', expire_at: 1 });
    expect(body.error).toEqual(INTERNAL_ERROR);
    expect(await subscribers('news')).toBe(0);
  });

  it('answer error 100 within their deadline while a gateway is silent, and reach the others', async () => {
    const reachable = await clientAt(0, 'v');
    const silent = await clientAt(1, 'v');
    server.gateways[1]?.signal('SIGSTOP');
    const askedAt = performance.now();
    const { body } = await server.api('disconnect', { user: 'v' });
    expect(body.error).toEqual(INTERNAL_ERROR);
    expect(performance.now() - askedAt).toBeLessThan(COMMAND_DEADLINE_MS + 2_000);
    await eventually(() => expect(reachable.events.at(-1)).toBe('disconnected 3503'));

    server.gateways[1]?.signal('SIGCONT');
    // It was not lost: the gateway obeys as soon as it can.
    await eventually(() => expect(silent.events).toContain('disconnected 3503'), 15_000);
    await eventually(async () => expect((await server.api('disconnect', { user: 'v' })).body.error).toBeUndefined());
  }, 60_000);

  it('go on without a gateway that was stopped in order, at once', async () => {
    await clientAt(0, 'w');
    await server.gateways[1]?.stop();
    const askedAt = performance.now();
    expect((await server.api('disconnect', { user: 'w' })).body).toEqual({ result: {} });
    expect(performance.now() - askedAt).toBeLessThan(COMMAND_DEADLINE_MS);
  });

  it('are counted', async () => {
    const text = await (await fetch(`${server.apiUrl()}/metrics`)).text();
    expect(text).toMatch(/^carillon_control_commands_total\{kind="subscribe",outcome="complete"\} 5$/m);
    expect(text).toMatch(/^carillon_control_commands_total\{kind="disconnect",outcome="incomplete"\} [1-9]/m);
    expect(text).toMatch(/^carillon_control_command_sessions_total\{kind="subscribe"\} 10$/m);
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestNats } from '@carillon/dev-tools/test-nats';
import { startNats } from '@carillon/dev-tools/test-nats';

import { startCluster } from '../harness/cluster.ts';
import type { Deployment } from '../harness/deployment.ts';
import { eventually, within } from '../harness/eventually.ts';
import { freePort } from '../harness/free-port.ts';
import { openOfficialClient, type OfficialClient, type Recording } from '../harness/official-client.ts';
import { probeHealth, startProcess } from '../harness/start-process.ts';

const PUBLISH_DEADLINE_MS = 10_000;

const config = {
  channel: {
    without_namespace: { allow_subscribe_for_client: true, allow_publish_for_client: true },
    namespaces: [
      {
        name: 'kept',
        allow_subscribe_for_client: true,
        allow_publish_for_client: true,
        history_size: 100,
        history_ttl: '60s',
        force_recovery: true,
      },
    ],
  },
};

describe('cluster', () => {
  let nats: TestNats;
  let server: Deployment;
  let live: Recording[] = [];
  let kept: Recording[] = [];
  let clients: OfficialClient[] = [];

  beforeAll(async () => {
    nats = await startNats({ exclusive: true });
    server = await startCluster({ config, nats });
    clients = [0, 1].map((gateway) => openOfficialClient({ url: server.wsUrl(gateway), token: server.token('u') }));
    for (const client of clients) await client.connect();
    live = await Promise.all(clients.map((client) => client.subscribe('live')));
    kept = await Promise.all(clients.map((client) => client.subscribe('kept:news')));
    await server.api('publish', { channel: 'live', data: 'before' });
    await server.api('publish', { channel: 'kept:news', data: 'before' });
    for (const { publications } of [...live, ...kept]) await eventually(() => expect(publications).toEqual(['before']));
  });
  afterAll(async () => {
    for (const client of clients) client.close();
    await server.stop();
    await nats.stop();
  });

  const nodes = () => [...server.gateways, ...server.apis];

  it('without NATS the services say so', async () => {
    await nats.kill9();
    for (const { url } of nodes()) {
      await eventually(async () => expect(await probeHealth(url)).toMatch(/^503/), 15_000);
    }
  });

  it('without NATS publications fail with a temporary error, within a deadline', async () => {
    for (const channel of ['live', 'kept:news']) {
      const answer = await within(server.api('publish', { channel, data: 'lost' }), PUBLISH_DEADLINE_MS, channel);
      expect(answer, channel).toMatchObject({ status: 200, body: { error: { code: 100 } } });
      const publishing = clients[0]?.client.publish(channel, 'lost') ?? Promise.resolve();
      const error = await within(
        publishing.then(
          () => undefined,
          (reason: unknown) => reason,
        ),
        PUBLISH_DEADLINE_MS,
        channel,
      );
      // Code 1 would be the client's own timeout, after 5 s: the server must answer before.
      expect(error, channel).toMatchObject({ code: 100 });
    }
  });

  it('without NATS connections stay', () => {
    for (const { events } of clients) expect(events).toEqual(['connecting 0', 'connected']);
  });

  it('when NATS is back the services are healthy and messages flow, without a reconnect', async () => {
    await nats.restart();
    for (const { url } of nodes()) {
      await eventually(async () => expect(await probeHealth(url)).toBe('200 {}'), 20_000);
    }
    for (const channel of ['live', 'kept:news']) {
      await eventually(async () => {
        expect((await server.api('publish', { channel, data: 'after' })).body).toHaveProperty('result');
      }, 20_000);
    }
    for (const { publications } of [...live, ...kept]) {
      await eventually(() => expect(publications).toEqual(['before', 'after']), 20_000);
    }
    for (const { events } of clients) expect(events).toEqual(['connecting 0', 'connected']);
    expect(kept.map(({ offsets }) => offsets)).toEqual([
      [1, 2],
      [1, 2],
    ]);
  });

  it('a service whose NATS is not there at start says what is missing and ends', async () => {
    const address = `127.0.0.1:${await freePort()}`;
    const config = { nats: { url: `nats://${address}` } };
    for (const command of ['gateway', 'api'] as const) {
      const one = await startProcess({ command, config, isUnawaited: true });
      const ended = await Promise.race([one.exited, new Promise((resolve) => setTimeout(resolve, 45_000, 'runs'))]);
      if (ended === 'runs') expect(await probeHealth(one.url)).not.toMatch(/^200/);
      else expect(ended).toBe(1);
      expect(one.output()).toContain(address);
      await one.kill();
    }
  }, 120_000);
});

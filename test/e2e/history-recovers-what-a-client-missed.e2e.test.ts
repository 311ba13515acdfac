import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Deployment } from '../harness/deployment.ts';
import { DEPLOYMENTS } from '../harness/deployments.ts';
import { eventually } from '../harness/eventually.ts';
import {
  ENCODINGS,
  openOfficialClient,
  type OfficialClient,
  type OfficialClientOptions,
} from '../harness/official-client.ts';

const HISTORY = { allow_subscribe_for_client: true, allow_history_for_subscriber: true, force_recovery: true };
const config = {
  channel: {
    namespaces: [
      { name: 'log', ...HISTORY, history_size: 500, history_ttl: '300s' },
      { name: 'short', ...HISTORY, history_size: 3, history_ttl: '300s' },
      {
        name: 'delta',
        ...HISTORY,
        history_size: 100,
        history_ttl: '300s',
        allowed_delta_types: ['fossil'],
        delta_publish: true,
      },
    ],
  },
};

describe.each(DEPLOYMENTS)('$kind', ({ start }) => {
  let server: Deployment;
  const clients: OfficialClient[] = [];

  beforeAll(async () => {
    server = await start({ config });
  });
  afterAll(async () => {
    for (const client of clients) client.close();
    await server.stop();
  });

  const open = async (options: Partial<OfficialClientOptions> = {}): Promise<OfficialClient> => {
    const client = openOfficialClient({ url: server.wsUrl(), token: server.token('u'), ...options });
    clients.push(client);
    await client.connect();
    return client;
  };

  const publish = async (channel: string, from: number, to: number): Promise<void> => {
    for (let n = from; n <= to; n += 1) {
      expect((await server.api('publish', { channel, data: { n } })).body).toHaveProperty('result.offset');
    }
  };

  const numbers = (from: number, to: number): { n: number }[] =>
    Array.from({ length: to - from + 1 }, (_value, at) => ({ n: from + at }));

  it.each(ENCODINGS)('a %s client that reconnects gets each missed publication once, in order', async (encoding) => {
    const channel = `log:reconnect-${encoding}`;
    // The second address of the client is the other gateway.
    const client = await open({ encoding });
    const { publications, events } = await client.subscribe(channel);
    await publish(channel, 1, 3);
    await eventually(() => expect(publications).toEqual(numbers(1, 3)));
    client.close();
    await publish(channel, 4, 8);
    await client.connect();
    await eventually(() => expect(publications).toEqual(numbers(1, 8)));
    await publish(channel, 9, 10);
    await eventually(() => expect(publications).toEqual(numbers(1, 10)));
    expect(events.filter((event) => /recovered|subscribed/.test(event))).toEqual(['subscribed', 'recovered']);
  });

  it('a position taken on one gateway recovers on another', async () => {
    await publish('log:moved', 1, 5);
    const { body } = await server.api('history', { channel: 'log:moved' });
    const epoch = String(body.result?.['epoch']);
    const client = await open({ url: server.wsUrl(1) });
    const { publications, events } = await client.subscribe('log:moved', { since: { offset: 2, epoch } });
    await eventually(() => expect(publications).toEqual(numbers(3, 5)));
    expect(events).toEqual(['subscribing 0', 'recovered']);
  });

  it('who missed more than is kept is told so and goes on from there', async () => {
    const client = await open();
    const { publications, events } = await client.subscribe('short:x');
    await publish('short:x', 1, 1);
    await eventually(() => expect(publications).toEqual(numbers(1, 1)));
    client.close();
    await publish('short:x', 2, 9);
    await client.connect();
    await eventually(() => expect(events).toContain('not recovered'));
    await publish('short:x', 10, 10);
    await eventually(() => expect(publications).toEqual([{ n: 1 }, { n: 10 }]));
  });

  it('a hundred publications during reconnects of many clients arrive once and in order', async () => {
    const many = await Promise.all(
      Array.from({ length: 10 }, (_value, n) => open({ url: server.wsUrl(n % 2), encoding: ENCODINGS[n % 2] })),
    );
    const recordings = await Promise.all(many.map((client) => client.subscribe('log:storm')));
    const publishing = publish('log:storm', 1, 100);
    for (const client of many) {
      client.close();
      await client.connect();
    }
    await publishing;
    for (const { publications, offsets } of recordings) {
      await eventually(() => expect(publications).toEqual(numbers(1, 100)));
      expect(offsets).toEqual(numbers(1, 100).map(({ n }) => n));
    }
  });

  it.each(ENCODINGS)('a %s client with delta sees the same payloads, also after a reconnect', async (encoding) => {
    const channel = `delta:${encoding}`;
    const client = await open({ encoding });
    const { publications } = await client.subscribe(channel, { delta: 'fossil' });
    await publish(channel, 1, 3);
    await eventually(() => expect(publications).toEqual(numbers(1, 3)));
    client.close();
    await publish(channel, 4, 6);
    await client.connect();
    await publish(channel, 7, 8);
    await eventually(() => expect(publications).toEqual(numbers(1, 8)));
  });

  it('history reads what is kept', async () => {
    const client = await open({ url: server.wsUrl(1) });
    const { subscription } = await client.subscribe('log:read');
    await publish('log:read', 1, 20);
    const all = await subscription.history({ limit: 100 });
    expect(all.publications.map(({ data }) => data)).toEqual(numbers(1, 20));
    const newest = await subscription.history({ limit: 2, reverse: true });
    expect(newest.publications.map(({ offset }) => offset)).toEqual([20, 19]);
    expect(all).toMatchObject({ offset: 20, epoch: newest.epoch });
  });
});

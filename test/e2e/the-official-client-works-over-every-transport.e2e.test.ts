import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startBehindFront, type BehindFront } from '../harness/behind-front.ts';
import { DEPLOYMENTS } from '../harness/deployments.ts';
import { eventually } from '../harness/eventually.ts';
import type { OfficialClient } from '../harness/official-client.ts';
import { TRANSPORTS } from '../harness/official-transports.ts';

const config = {
  http_stream: { enabled: true },
  sse: { enabled: true },
  channel: {
    without_namespace: {
      allow_subscribe_for_client: true,
      allow_publish_for_subscriber: true,
      allow_presence_for_subscriber: true,
      allow_history_for_subscriber: true,
      presence: true,
      history_size: 100,
      history_ttl: '300s',
      force_recovery: true,
    },
  },
};

type Kind = (typeof TRANSPORTS)[number];

// The front gives each connection to the next gateway: commands reach a stream of another gateway.
describe.each(DEPLOYMENTS)('$kind', ({ start }) => {
  let site: BehindFront;
  beforeAll(async () => {
    site = await startBehindFront(start, { config });
  });
  afterAll(() => site.stop());

  const open = async (kind: Kind, user: string): Promise<OfficialClient> => {
    const client = site.client({ ...kind, token: site.server.token(user) });
    await client.connect();
    return client;
  };
  const nameOf = ({ transport, encoding }: Kind): string => `${transport}-${encoding}`;

  it.each(TRANSPORTS)('$transport with $encoding: publishes, and sees itself there', async (kind) => {
    const client = await open(kind, 'ann');
    const { subscription, publications, offsets } = await client.subscribe(`room-${nameOf(kind)}`);
    for (const n of [1, 2, 3]) await subscription.publish(client.payload({ n, text: 'çå 🎉' }));
    await eventually(() => expect(publications).toEqual([1, 2, 3].map((n) => ({ n, text: 'çå 🎉' }))));
    expect(offsets).toEqual([1, 2, 3]);
    const { clients: present } = await subscription.presence();
    expect(Object.values(present).map(({ user }) => user)).toEqual(['ann']);
    expect(await subscription.presenceStats()).toEqual({ numClients: 1, numUsers: 1 });
    const history = await subscription.history({ limit: 2, reverse: true });
    expect(history.publications.map(({ offset }) => offset)).toEqual([3, 2]);
  });

  it.each(TRANSPORTS)(
    '$transport with $encoding: a call made before the connection is answered after it',
    async (kind) => {
      const client = site.client({ ...kind, token: site.server.token('early') });
      const answer = client.client.rpc('nothing', client.payload({})).catch((error: unknown) => error);
      await client.connect();
      expect(await answer).toMatchObject({ code: 108 });
    },
  );

  it.each(TRANSPORTS)('$transport with $encoding: gets what it missed while it was away', async (kind) => {
    const channel = `missed-${nameOf(kind)}`;
    const client = await open(kind, 'bob');
    const { publications, events } = await client.subscribe(channel);
    await site.server.api('publish', { channel, data: 1 });
    await eventually(() => expect(publications).toEqual([1]));
    client.close();
    for (const data of [2, 3, 4]) await site.server.api('publish', { channel, data });
    await client.connect();
    await eventually(() => expect(publications).toEqual([1, 2, 3, 4]));
    await site.server.api('publish', { channel, data: 5 });
    await eventually(() => expect(publications).toEqual([1, 2, 3, 4, 5]));
    expect(events.filter((event) => /^(subscribed|recovered|not)/.test(event))).toEqual(['subscribed', 'recovered']);
  });

  it.each(TRANSPORTS)('$transport with $encoding: a lost network is found again', async (kind) => {
    const network = new EventTarget();
    const client = site.client({
      ...kind,
      token: site.server.token('dan'),
      networkEventTarget: network,
    });
    await client.connect();
    const { publications } = await client.subscribe(`net-${nameOf(kind)}`);
    network.dispatchEvent(new Event('offline'));
    expect(client.client.state).toBe('connecting');
    await site.server.api('publish', { channel: `net-${nameOf(kind)}`, data: 'meanwhile' });
    network.dispatchEvent(new Event('online'));
    await eventually(() => expect(publications).toEqual(['meanwhile']));
  });

  it.each(TRANSPORTS)('$transport with $encoding: the server unsubscribes and disconnects it', async (kind) => {
    const client = await open(kind, 'eve');
    const kept = await client.subscribe(`kept-${nameOf(kind)}`);
    const dropped = await client.subscribe(`dropped-${nameOf(kind)}`);
    await site.server.api('unsubscribe', { user: 'eve', channel: `dropped-${nameOf(kind)}` });
    await eventually(() => expect(dropped.events).toContain('unsubscribed 2000'));
    await site.server.api('publish', { channel: `kept-${nameOf(kind)}`, data: 'still here' });
    await eventually(() => expect(kept.publications).toEqual(['still here']));
    await site.server.api('disconnect', { user: 'eve' });
    await eventually(() => expect(client.events.at(-1)).toBe('disconnected 3503'));
  });
});

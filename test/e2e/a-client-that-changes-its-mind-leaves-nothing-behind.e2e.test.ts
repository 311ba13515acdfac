import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startBehindFront, type BehindFront } from '../harness/behind-front.ts';
import { DEPLOYMENTS } from '../harness/deployments.ts';
import { eventually, within } from '../harness/eventually.ts';
import type { OfficialClient } from '../harness/official-client.ts';
import { TRANSPORTS } from '../harness/official-transports.ts';

const config = {
  http_stream: { enabled: true },
  sse: { enabled: true },
  channel: {
    without_namespace: {
      allow_subscribe_for_client: true,
      allow_presence_for_client: true,
      presence: true,
      history_size: 10,
      history_ttl: '300s',
      force_recovery: true,
    },
  },
};
const TIMES = 10;
const DEADLINE_MS = 30_000;

type Kind = (typeof TRANSPORTS)[number];

describe.each(DEPLOYMENTS)('$kind', ({ start }) => {
  let site: BehindFront;
  beforeAll(async () => {
    site = await startBehindFront(start, { config });
  });
  afterAll(() => site.stop());

  const create = (kind: Kind): OfficialClient => {
    const client = site.client({ ...kind, token: site.server.token('u') });
    return client;
  };
  const present = async (channel: string): Promise<number> => {
    const { body } = await site.server.api('presence', { channel });
    return Object.keys(body.result?.['presence'] ?? {}).length;
  };
  const channelOf = (what: string, { transport, encoding }: Kind): string => `${what}-${transport}-${encoding}`;

  it.each(TRANSPORTS)('$transport with $encoding: the last word of many counts', async (kind) => {
    const channel = channelOf('many', kind);
    const client = create(kind);
    await client.connect();
    const subscription = client.client.newSubscription(channel);
    const publications: unknown[] = [];
    subscription.on('publication', ({ data }) => publications.push(data));
    for (let time = 0; time < TIMES; time += 1) {
      subscription.subscribe();
      subscription.unsubscribe();
    }
    await eventually(async () => expect(await present(channel)).toBe(0));
    subscription.subscribe();
    await within(subscription.ready(), DEADLINE_MS, 'subscribe');
    await eventually(async () => expect(await present(channel)).toBe(1));
    subscription.unsubscribe();
    await eventually(async () => expect(await present(channel)).toBe(0));
    await site.server.api('publish', { channel, data: {} });
    // An answer to a later command says that nothing else is on its way.
    await client.client.presence(channel);
    expect(publications).toEqual([]);
  });

  it.each(TRANSPORTS)('$transport with $encoding: connects and disconnects at once, again and again', async (kind) => {
    const channel = channelOf('restless', kind);
    const client = create(kind);
    const subscription = client.client.newSubscription(channel);
    subscription.subscribe();
    for (let time = 0; time < TIMES; time += 1) {
      client.client.connect();
      client.client.disconnect();
    }
    client.client.connect();
    await within(subscription.ready(), DEADLINE_MS, 'subscribe');
    await eventually(async () => expect(await present(channel)).toBe(1));
    client.client.disconnect();
    await eventually(async () => expect(await present(channel)).toBe(0));
  });

  it.each(TRANSPORTS)('$transport with $encoding: unsubscribes while the connection is replaced', async (kind) => {
    const channel = channelOf('replaced', kind);
    const client = create(kind);
    await client.connect();
    const subscription = client.client.newSubscription(channel);
    subscription.subscribe();
    client.client.disconnect();
    client.client.connect();
    subscription.unsubscribe();
    await within(client.client.ready(), DEADLINE_MS, 'connect');
    await eventually(async () => expect(await present(channel)).toBe(0));
    subscription.subscribe();
    await within(subscription.ready(), DEADLINE_MS, 'subscribe');
    await eventually(async () => expect(await present(channel)).toBe(1));
  });

  it('who unsubscribes in the middle of a recovery gets the rest with the next subscription', async () => {
    const channel = 'middle';
    const client = create({ transport: 'websocket', encoding: 'json' });
    await client.connect();
    const { subscription, publications } = await client.subscribe(channel);
    subscription.unsubscribe();
    for (const data of [1, 2, 3]) await site.server.api('publish', { channel, data });
    subscription.once('subscribed', () => subscription.unsubscribe());
    subscription.subscribe();
    await eventually(() => expect(subscription.state).toBe('unsubscribed'));
    expect(publications).toEqual([]);
    subscription.once('publication', () => subscription.unsubscribe());
    subscription.subscribe();
    await eventually(() => expect(publications).toEqual([1]));
    subscription.subscribe();
    await eventually(() => expect(publications).toEqual([1, 2, 3]));
  });
});

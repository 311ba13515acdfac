import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Deployment } from '../harness/deployment.ts';
import { DEPLOYMENTS } from '../harness/deployments.ts';
import { eventually } from '../harness/eventually.ts';
import { ENCODINGS, openOfficialClient, type OfficialClient } from '../harness/official-client.ts';

const config = { channel: { without_namespace: { allow_subscribe_for_client: true } } };

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

  const open = async (encoding: (typeof ENCODINGS)[number], gateway: number): Promise<OfficialClient> => {
    const client = openOfficialClient({ url: server.wsUrl(gateway), encoding, token: server.token(`u${gateway}`) });
    clients.push(client);
    await client.connect();
    return client;
  };

  it.each(ENCODINGS)('a %s client gets what the server API publishes', async (encoding) => {
    const client = await open(encoding, 0);
    const { publications } = await client.subscribe(`news-${encoding}`);
    const answer = await server.api('publish', { channel: `news-${encoding}`, data: { text: 'ding' } });
    expect(answer).toEqual({ status: 200, body: { result: {} } });
    await eventually(() => expect(publications).toEqual([{ text: 'ding' }]));
  });

  it('clients of both encodings on both gateways get the publications of every api, each once', async () => {
    const places = ENCODINGS.flatMap((encoding) => [0, 1].map((gateway) => ({ encoding, gateway })));
    const recordings = await Promise.all(
      places.map(async ({ encoding, gateway }) => (await open(encoding, gateway)).subscribe('both')),
    );
    for (const [n, api] of [0, 1, 0, 1].entries()) {
      await server.api('publish', { channel: 'both', data: { n } }, api);
    }
    const expected = [{ n: 0 }, { n: 1 }, { n: 2 }, { n: 3 }];
    for (const { publications } of recordings) {
      await eventually(() => expect(publications.length).toBe(4));
      expect(new Set(publications)).toEqual(new Set(expected));
    }
  });

  it('a broadcast reaches the subscribers of each of its channels and nobody else', async () => {
    const client = await open('json', 1);
    const one = await client.subscribe('one');
    const two = await client.subscribe('two');
    const other = await client.subscribe('other');
    const { body } = await server.api('broadcast', { channels: ['one', 'two'], data: 'all' });
    expect(body.result).toEqual({ responses: [{ result: {} }, { result: {} }] });
    await server.api('publish', { channel: 'other', data: 'last' });
    await eventually(() => {
      expect(one.publications).toEqual(['all']);
      expect(two.publications).toEqual(['all']);
      expect(other.publications).toEqual(['last']);
    });
  });
});

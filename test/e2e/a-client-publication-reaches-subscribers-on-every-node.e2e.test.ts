import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Deployment } from '../harness/deployment.ts';
import { DEPLOYMENTS } from '../harness/deployments.ts';
import { eventually } from '../harness/eventually.ts';
import { ENCODINGS, openOfficialClient, type Encoding, type OfficialClient } from '../harness/official-client.ts';

const config = {
  channel: { without_namespace: { allow_subscribe_for_client: true, allow_publish_for_subscriber: true } },
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

  const open = async (encoding: Encoding, gateway: number): Promise<OfficialClient> => {
    const client = openOfficialClient({ url: server.wsUrl(gateway), encoding, token: server.token(`u${gateway}`) });
    clients.push(client);
    await client.connect();
    return client;
  };

  it.each(ENCODINGS)('what a %s client publishes arrives once, in order, at every subscriber', async (encoding) => {
    const channel = `chat-${encoding}`;
    const publisher = await open(encoding, 0);
    const recordings = [await publisher.subscribe(channel)];
    for (const other of ENCODINGS) recordings.push(await (await open(other, 1)).subscribe(channel));
    const numbers = Array.from({ length: 50 }, (_value, n) => n);
    for (const n of numbers) void publisher.client.publish(channel, publisher.payload({ n }));
    for (const { publications } of recordings) {
      await eventually(() => expect(publications).toEqual(numbers.map((n) => ({ n }))));
    }
  });

  it('a client that may not publish is told so and nobody gets anything', async () => {
    const publisher = await open('json', 0);
    const recording = await (await open('json', 1)).subscribe('quiet');
    await expect(publisher.client.publish('quiet', { n: 1 })).rejects.toMatchObject({ code: 103 });
    await server.api('publish', { channel: 'quiet', data: 'allowed' });
    await eventually(() => expect(recording.publications).toEqual(['allowed']));
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { StreamPosition } from 'centrifuge';
import type { Deployment } from '../harness/deployment.ts';
import { DEPLOYMENTS } from '../harness/deployments.ts';
import { eventually } from '../harness/eventually.ts';
import { ENCODINGS, openOfficialClient, type Encoding, type OfficialClient } from '../harness/official-client.ts';

const RECOVERED = { allow_subscribe_for_client: true, force_recovery: true, history_ttl: '300s' };
const config = {
  channel: {
    namespaces: [
      { name: 'long', ...RECOVERED, history_size: 100 },
      { name: 'short', ...RECOVERED, history_size: 2 },
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

  const open = async (encoding: Encoding): Promise<OfficialClient> => {
    const client = openOfficialClient({ url: server.wsUrl(), encoding, token: server.token('u') });
    clients.push(client);
    await client.connect();
    return client;
  };
  const publish = async (channel: string, ...items: readonly number[]): Promise<void> => {
    for (const data of items) await server.api('publish', { channel, data });
  };
  /** What an app reads together with its state. */
  const top = async (channel: string): Promise<StreamPosition> => {
    const { body } = await server.api('history', { channel, limit: 0 });
    return { offset: Number(body.result?.['offset'] ?? 0), epoch: String(body.result?.['epoch']) };
  };

  it.each(ENCODINGS)('a %s client goes on from the position of the state', async (encoding) => {
    const channel = `long:state-${encoding}`;
    await publish(channel, 1, 2);
    const client = await open(encoding);
    let asked = 0;
    const getState = async (): Promise<StreamPosition> => {
      asked += 1;
      const position = await top(channel);
      // Published after the state was read and before the client has subscribed.
      if (asked === 1) await publish(channel, 3);
      return position;
    };
    const { publications, events } = await client.subscribe(channel, { getState });
    await eventually(() => expect(publications).toEqual([3]));
    client.close();
    await publish(channel, 4, 5);
    await client.connect();
    await eventually(() => expect(publications).toEqual([3, 4, 5]));
    expect(asked).toBe(1);
    expect(events.filter((event) => event.endsWith('recovered'))).toEqual(['recovered', 'recovered']);
  });

  it.each(ENCODINGS)(
    'a %s client that missed too much asks for the state and is never subscribed without it',
    async (encoding) => {
      const channel = `short:state-${encoding}`;
      const client = await open(encoding);
      let asked = 0;
      const getState = async (): Promise<StreamPosition> => {
        asked += 1;
        return top(channel);
      };
      const { publications, events } = await client.subscribe(channel, {
        getState,
        minResubscribeDelay: 20,
        maxResubscribeDelay: 100,
      });
      await publish(channel, 1);
      await eventually(() => expect(publications).toEqual([1]));
      client.close();
      await publish(channel, 2, 3, 4, 5, 6);
      await client.connect();
      await eventually(() => expect(asked).toBe(2));
      await eventually(() => expect(events.at(-1)).toBe('recovered'));
      await publish(channel, 7);
      await eventually(() => expect(publications).toEqual([1, 7]));
      expect(events).not.toContain('not recovered');
    },
  );

  it('a position without an epoch recovers all that is kept', async () => {
    const channel = 'long:all';
    await publish(channel, 1, 2, 3);
    const client = await open('json');
    const { publications, events } = await client.subscribe(channel, { since: { offset: 0, epoch: '' } });
    await eventually(() => expect(publications).toEqual([1, 2, 3]));
    expect(events).toContain('recovered');
  });
});

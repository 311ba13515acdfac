import { setTimeout as sleep } from 'node:timers/promises';

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
import { secondsFromNow } from '../harness/token.ts';

const config = {
  channel: {
    namespaces: [{ name: 'private', force_recovery: true, history_size: 100, history_ttl: '300s' }],
  },
};
// Long enough for a busy machine to connect in.
const SHORT_S = 5;
const RENEWALS = 2;
const DEADLINE_MS = 40_000;

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

  const create = (options: Partial<OfficialClientOptions> = {}): OfficialClient => {
    const client = openOfficialClient({ url: server.wsUrl(), token: server.token('u'), ...options });
    clients.push(client);
    return client;
  };
  const shortly = (): { exp: number } => ({ exp: secondsFromNow(SHORT_S) });

  it.concurrent.each(ENCODINGS)('the connection token of a %s client', { timeout: 60_000 }, async (encoding) => {
    let tokens = 0;
    const getToken = async (): Promise<string> => {
      tokens += 1;
      return server.token('u', shortly());
    };
    const client = create({ encoding, token: '', getToken });
    await client.connect();
    await eventually(() => expect(tokens).toBeGreaterThan(RENEWALS), DEADLINE_MS);
    expect(client.events).toEqual(['connecting 0', 'connected']);
  });

  it.concurrent.each(ENCODINGS)('the subscription token of a %s client', { timeout: 60_000 }, async (encoding) => {
    const channel = `private:renewed-${encoding}`;
    let tokens = 0;
    const getToken = async (): Promise<string> => {
      tokens += 1;
      return server.subToken('u', channel, shortly());
    };
    const client = create({ encoding });
    await client.connect();
    const { publications, events } = await client.subscribe(channel, { getToken });
    await eventually(() => expect(tokens).toBeGreaterThan(RENEWALS), DEADLINE_MS);
    await server.api('publish', { channel, data: 'still here' });
    await eventually(() => expect(publications).toEqual(['still here']));
    expect(events).toEqual(['subscribing 0', 'subscribed']);
    expect(client.events).toEqual(['connecting 0', 'connected']);
  });

  it.concurrent.each(ENCODINGS)(
    'both, when a %s client comes back after they have expired',
    { timeout: 60_000 },
    async (encoding) => {
      const channel = `private:late-${encoding}`;
      let connectTokens = 0;
      let subscribeTokens = 0;
      const expiry = shortly();
      const client = create({
        encoding,
        token: server.token('u', expiry),
        getToken: async () => {
          connectTokens += 1;
          return server.token('u');
        },
      });
      await client.connect();
      const { publications, events } = await client.subscribe(channel, {
        token: server.subToken('u', channel, expiry),
        getToken: async () => {
          subscribeTokens += 1;
          return server.subToken('u', channel);
        },
      });
      client.close();
      await server.api('publish', { channel, data: 'missed' });
      // Expiry is counted in whole seconds.
      while (secondsFromNow(0) <= expiry.exp + 1) await sleep(100);
      await client.connect();
      await eventually(() => expect(publications).toEqual(['missed']));
      expect(events.at(-1)).toBe('recovered');
      expect([connectTokens, subscribeTokens]).toEqual([1, 1]);
    },
  );

  it.each(ENCODINGS)('but a %s client with a wrong token is sent away for good', async (encoding) => {
    const client = create({ encoding, token: 'wrong' });
    client.client.connect();
    await eventually(() => expect(client.events).toEqual(['connecting 0', 'disconnected 3500']));
  });
});

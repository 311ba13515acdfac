import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Deployment } from '../harness/deployment.ts';
import { DEPLOYMENTS } from '../harness/deployments.ts';
import { eventually } from '../harness/eventually.ts';
import {
  ENCODINGS,
  openOfficialClient,
  type Encoding,
  type OfficialClient,
  type OfficialClientOptions,
} from '../harness/official-client.ts';

const RECOVERED = { allow_subscribe_for_client: true, force_recovery: true, history_size: 100, history_ttl: '300s' };
const config = {
  channel: {
    namespaces: [
      { name: 'log', ...RECOVERED },
      { name: 'delta', ...RECOVERED, allowed_delta_types: ['fossil'], delta_publish: true },
    ],
  },
};
const KICKS = 4;

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

  const open = async (
    encoding: Encoding,
    options: Partial<OfficialClientOptions> = {},
  ): Promise<{ opened: OfficialClient; ids: string[]; reasons: string[] }> => {
    const opened = openOfficialClient({ url: server.wsUrl(), encoding, token: server.token('u'), ...options });
    clients.push(opened);
    const ids: string[] = [];
    const reasons: string[] = [];
    opened.client.on('connected', ({ client }) => ids.push(client));
    opened.client.on('disconnected', ({ code, reason }) => reasons.push(`${code} ${reason}`));
    opened.client.on('connecting', ({ code, reason }) => reasons.push(`${code} ${reason}`));
    await opened.connect();
    return { opened, ids, reasons };
  };
  const sendAway = (client: string | undefined, disconnect: object): Promise<unknown> =>
    server.api('disconnect', { user: 'u', client, disconnect });
  const filler = 'x'.repeat(300);

  it.each([
    ['log', 'json'],
    ['log', 'protobuf'],
    ['delta', 'json'],
    ['delta', 'protobuf'],
  ] as const)('in %s: a %s client comes back under a new id, each time with all', async (namespace, encoding) => {
    const channel = `${namespace}:kicked-${encoding}`;
    const { opened, ids } = await open(encoding);
    const { publications, events } = await opened.subscribe(channel, namespace === 'delta' ? { delta: 'fossil' } : {});
    let sent = 0;
    const publish = async (count: number): Promise<void> => {
      for (let nth = 0; nth < count; nth += 1) {
        await server.api('publish', { channel, data: { n: (sent += 1), filler } });
      }
    };
    await publish(2);
    for (let kick = 1; kick <= KICKS; kick += 1) {
      await sendAway(ids.at(-1), { code: 3001, reason: 'for a moment' });
      await publish(2);
      await eventually(() => expect(ids.length).toBe(kick + 1));
    }
    await eventually(() => expect(publications.length).toBe(sent));
    expect(publications).toEqual(Array.from({ length: sent }, (_value, at) => ({ n: at + 1, filler })));
    expect(new Set(ids).size).toBe(KICKS + 1);
    expect(events).not.toContain('not recovered');
  });

  it.each(ENCODINGS)('a %s client sent away for good stays away and knows why', async (encoding) => {
    const { opened, ids, reasons } = await open(encoding);
    await sendAway(ids[0], { code: 3501, reason: 'for good' });
    await eventually(() => expect(opened.events.at(-1)).toBe('disconnected 3501'));
    expect(reasons.at(-1)).toBe('3501 for good');
  });

  it.each(ENCODINGS)(
    'a %s client whose state is invalid takes a new token and forgets its positions',
    async (encoding) => {
      const channel = `log:invalid-${encoding}`;
      let tokens = 0;
      const getToken = async (): Promise<string> => {
        tokens += 1;
        return server.token('u');
      };
      const { opened, ids } = await open(encoding, { token: '', getToken });
      const { publications, events } = await opened.subscribe(channel);
      await server.api('publish', { channel, data: 1 });
      await eventually(() => expect(publications).toEqual([1]));
      await sendAway(ids[0], { code: 3014, reason: 'state invalidated' });
      await eventually(() => expect(events.at(-1)).toBe('not recovered'));
      expect(tokens).toBe(2);
      await server.api('publish', { channel, data: 2 });
      await eventually(() => expect(publications).toEqual([1, 2]));
    },
  );
});

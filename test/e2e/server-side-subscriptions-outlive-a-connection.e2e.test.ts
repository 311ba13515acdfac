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
    namespaces: [
      { name: 'log', force_recovery: true, history_size: 100, history_ttl: '300s' },
      { name: 'live', presence: true },
    ],
  },
};

type Kind = (typeof TRANSPORTS)[number];

describe.each(DEPLOYMENTS)('$kind', ({ start }) => {
  let site: BehindFront;
  beforeAll(async () => {
    site = await startBehindFront(start, { config });
  });
  afterAll(() => site.stop());

  /** A client with all that it is told of channels which the server subscribes it to, in order. */
  const create = (kind: Kind, token: string): { opened: OfficialClient; told: string[] } => {
    const opened = site.client({ ...kind, token });
    const told: string[] = [];
    const text = (data: unknown): unknown =>
      data instanceof Uint8Array ? JSON.parse(new TextDecoder().decode(data)) : data;
    opened.client.on('subscribed', ({ channel, wasRecovering, recovered }) =>
      told.push(`${channel} ${wasRecovering ? `recovered ${recovered}` : 'subscribed'}`),
    );
    opened.client.on('unsubscribed', ({ channel }) => told.push(`${channel} unsubscribed`));
    opened.client.on('publication', ({ channel, data }) => told.push(`${channel} ${String(text(data))}`));
    return { opened, told };
  };

  it.each(TRANSPORTS)('$transport with $encoding: channels of the token go on where they were', async (kind) => {
    const user = `${kind.transport}-${kind.encoding}`;
    const [log, live] = [`log:${user}`, `live:${user}`];
    const { opened, told } = create(kind, site.server.token(user, { channels: [log, live] }));
    await opened.connect();
    await eventually(() => expect([...told].toSorted()).toEqual([`${live} subscribed`, `${log} subscribed`]));
    told.length = 0;
    for (const channel of [log, live]) await site.server.api('publish', { channel, data: 1 });
    await eventually(() => expect([...told].toSorted()).toEqual([`${live} 1`, `${log} 1`]));

    opened.close();
    await eventually(async () => {
      const { body } = await site.server.api('presence_stats', { channel: live });
      expect(body.result).toEqual({ num_clients: 0, num_users: 0 });
    });
    told.length = 0;
    for (const data of [2, 3]) for (const channel of [log, live]) await site.server.api('publish', { channel, data });
    await opened.connect();
    await eventually(() =>
      expect([...told].toSorted()).toEqual([`${live} subscribed`, `${log} 2`, `${log} 3`, `${log} recovered true`]),
    );
    expect(told.filter((event) => event.startsWith('log:'))).toEqual([`${log} recovered true`, `${log} 2`, `${log} 3`]);
  });

  it.each(TRANSPORTS)(
    '$transport with $encoding: channels of the backend last as long as the connection',
    async (kind) => {
      const user = `api-${kind.transport}-${kind.encoding}`;
      const channel = `live:${user}`;
      const { opened, told } = create(kind, site.server.token(user));
      await opened.connect();
      await site.server.api('subscribe', { user, channel });
      await eventually(() => expect(told).toEqual([`${channel} subscribed`]));
      await site.server.api('publish', { channel, data: 'a' });
      await eventually(() => expect(told.at(-1)).toBe(`${channel} a`));
      await site.server.api('unsubscribe', { user, channel });
      await eventually(() => expect(told.at(-1)).toBe(`${channel} unsubscribed`));
      await site.server.api('subscribe', { user, channel });
      await eventually(() => expect(told.at(-1)).toBe(`${channel} subscribed`));

      opened.close();
      await opened.connect();
      // The client knows of the channel still; the server, which did not subscribe it again, does not.
      await eventually(() => expect(told.at(-1)).toBe(`${channel} unsubscribed`));
      // The server may hear of the end of the first connection after the second one has begun.
      await eventually(async () => {
        const { body } = await site.server.api('presence_stats', { channel });
        expect(body.result).toEqual({ num_clients: 0, num_users: 0 });
      });
    },
  );
});

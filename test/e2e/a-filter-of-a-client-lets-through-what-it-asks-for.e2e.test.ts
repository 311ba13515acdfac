import type { FilterNode } from 'centrifuge';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startBehindFront, type BehindFront } from '../harness/behind-front.ts';
import { DEPLOYMENTS } from '../harness/deployments.ts';
import { eventually, within } from '../harness/eventually.ts';
import type { OfficialClient, Recording } from '../harness/official-client.ts';
import { TRANSPORTS } from '../harness/official-transports.ts';

const config = {
  http_stream: { enabled: true },
  sse: { enabled: true },
  channel: {
    without_namespace: {
      allow_subscribe_for_client: true,
      allow_tags_filter: true,
      history_size: 100,
      history_ttl: '300s',
      force_recovery: true,
    },
  },
};
const TICKS = [
  { ticker: 'AAPL', price: '99.5', source: 'NASDAQ' },
  { ticker: 'AAPL', price: '120', source: 'NYSE' },
  { ticker: 'MSFT', price: '120', source: 'NASDAQ' },
  { ticker: 'AMZN', price: '1000', source: 'TEST' },
];
const DEAR_OR_MICROSOFT: FilterNode = {
  op: 'or',
  nodes: [
    {
      op: 'and',
      nodes: [
        { key: 'price', cmp: 'gt', val: '100' },
        { key: 'ticker', cmp: 'sw', val: 'AA' },
      ],
    },
    { key: 'ticker', cmp: 'in', vals: ['MSFT', 'GOOG'] },
  ],
};
const NOT_TEST: FilterNode = { op: 'not', nodes: [{ key: 'source', cmp: 'eq', val: 'TEST' }] };
const DEADLINE_MS = 30_000;

type Kind = (typeof TRANSPORTS)[number];

describe.each(DEPLOYMENTS)('$kind', ({ start }) => {
  let site: BehindFront;
  beforeAll(async () => {
    site = await startBehindFront(start, { config });
  });
  afterAll(() => site.stop());

  const open = async (kind: Kind): Promise<OfficialClient> => {
    const client = site.client({ ...kind, token: site.server.token('u') });
    await client.connect();
    return client;
  };
  /** Publishes each tick and then one that every filter here lets through. */
  const tick = async (channel: string, round: string): Promise<void> => {
    for (const tags of TICKS)
      await site.server.api('publish', { channel, data: `${round} ${tags.ticker} ${tags.price}`, tags });
    await site.server.api('publish', {
      channel,
      data: `${round} end`,
      tags: { ticker: 'MSFT', price: '0', source: 'end' },
    });
  };
  const expectRound = async ({ publications }: Recording, round: string, ticks: readonly string[]): Promise<void> => {
    await eventually(() => expect(publications.at(-1)).toBe(`${round} end`));
    const ofRound = publications.filter((text) => String(text).startsWith(round));
    expect(ofRound).toEqual([...ticks, 'end'].map((text) => `${round} ${text}`));
  };

  it.each(TRANSPORTS)('$transport with $encoding: live, missed and after a change of the filter', async (kind) => {
    const channel = `ticks-${kind.transport}-${kind.encoding}`;
    const client = await open(kind);
    const recording = await client.subscribe(channel, { tagsFilter: DEAR_OR_MICROSOFT });
    await tick(channel, 'live');
    await expectRound(recording, 'live', ['AAPL 120', 'MSFT 120']);

    client.close();
    await tick(channel, 'missed');
    await client.connect();
    await expectRound(recording, 'missed', ['AAPL 120', 'MSFT 120']);
    expect(recording.events).toContain('recovered');

    recording.subscription.unsubscribe();
    recording.subscription.setTagsFilter(NOT_TEST);
    recording.subscription.subscribe();
    await within(recording.subscription.ready(), DEADLINE_MS, 'subscribe');
    await tick(channel, 'changed');
    await expectRound(recording, 'changed', ['AAPL 99.5', 'AAPL 120', 'MSFT 120']);
    expect(recording.events).not.toContain('not recovered');
  });
});

import { expect } from 'vitest';

import { applyDelta } from '../../harness/fossil-delta.ts';
import { Fields, field, frame, message, splitFrame } from '../../harness/protobuf-fields.ts';
import type { Json, RawClient } from '../../harness/raw-client.ts';
import { row, type Scenario } from '../scenario.ts';
import type { Trial } from '../trial.ts';

const price = (n: number): Json => ({ price: n, symbol: 'AAPL', venue: 'NASDAQ', note: 'a text that stays the same' });

/** A JSON subscriber with delta that has got the first publication in full. */
async function deltaSubscriber(t: Trial, namespace = 'delta'): Promise<{ client: RawClient; channel: string }> {
  const client = await t.connect({ gateway: 1 });
  const channel = t.channel(namespace);
  const { subscribe } = await client.subscribe(channel, { delta: 'fossil' });
  expect(subscribe).toMatchObject({ delta: true, recoverable: true });
  return { client, channel };
}

function patched(base: unknown, publication: Json): Json {
  expect(publication.delta).toBe(true);
  expect(publication.data).toBeTypeOf('string');
  return JSON.parse(applyDelta(Buffer.from(JSON.stringify(base)), Buffer.from(publication.data)).toString());
}

export const delta: readonly Scenario[] = [
  row('client 181', 'the first publication of a delta subscriber is a string with the full payload', async (t) => {
    const { client, channel } = await deltaSubscriber(t);
    await t.publish(channel, price(1));
    const publication = await client.publication();
    expect(publication).toMatchObject({ data: JSON.stringify(price(1)), offset: 1 });
    expect(publication).not.toHaveProperty('delta');
  }),
  row('client 182', 'the next publication is a patch that gives the payload', async (t) => {
    const { client, channel } = await deltaSubscriber(t);
    await t.publishAll(channel, [price(1), price(2), price(3)]);
    await client.publication();
    expect(patched(price(1), await client.publication())).toEqual(price(2));
    expect(patched(price(2), await client.publication())).toEqual(price(3));
  }),
  row('client 183', 'a publication that is shorter in full comes in full', async (t) => {
    const { client, channel } = await deltaSubscriber(t);
    await t.publishAll(channel, [price(1), { x: 1 }]);
    await client.publication();
    const publication = await client.publication();
    expect(publication).toMatchObject({ data: '{"x":1}', offset: 2 });
    expect(publication).not.toHaveProperty('delta');
  }),
  row('client 184', 'the patch for the same payload copies all', async (t) => {
    const { client, channel } = await deltaSubscriber(t);
    await t.publishAll(channel, [price(1), price(1)]);
    await client.publication();
    expect(patched(price(1), await client.publication())).toEqual(price(1));
  }),
  row('client 185', 'Protobuf delta subscribers get bytes', async (t) => {
    const socket = await t.socket({ query: 'cf_protocol=protobuf' });
    const channel = t.channel('delta');
    const subscribe = message(field(1, channel), field(12, 'fossil'));
    socket.send(frame(message(field(1, 1), field(4, message(field(1, t.token()))))));
    socket.send(frame(message(field(1, 2), field(5, subscribe))));
    const messages: Fields[] = [];
    const next = async (): Promise<Fields> => {
      while (messages.length === 0) {
        const bytes = await socket.nextFrame();
        messages.push(...splitFrame(Buffer.from(bytes)).map((one) => new Fields(one)));
      }
      return messages.shift() ?? new Fields(new Uint8Array());
    };
    expect((await next()).number(1)).toBe(1);
    expect((await next()).message(6).number(13)).toBe(1);
    await t.publishAll(channel, [price(1), price(2)]);
    const first = (await next()).message(4).message(4);
    expect([first.text(4), first.number(6), first.number(8)]).toEqual([JSON.stringify(price(1)), 1, 0]);
    const second = (await next()).message(4).message(4);
    expect(second.number(8)).toBe(1);
    expect(applyDelta(Buffer.from(first.bytes(4)), Buffer.from(second.bytes(4))).toString()).toBe(
      JSON.stringify(price(2)),
    );
  }),
  row('client 186', 'recovered publications are one in full and then patches', async (t) => {
    const channel = t.channel('delta');
    await t.publishAll(channel, [1, 2, 3, 4].map(price));
    const { epoch } = await t.result('history', { channel });
    const client = await t.connect();
    const { subscribe } = await client.subscribe(channel, { delta: 'fossil', recover: true, offset: 1, epoch });
    const [first, second, third] = subscribe.publications;
    expect(first).toEqual({ data: JSON.stringify(price(2)), offset: 2 });
    expect(patched(price(2), second)).toEqual(price(3));
    expect(patched(price(3), third)).toEqual(price(4));
    await t.publish(channel, price(5));
    expect(patched(price(4), await client.publication())).toEqual(price(5));
  }),
  row('client 188', 'other subscribers of the channel get plain payloads', async (t) => {
    const { client, channel } = await deltaSubscriber(t);
    const plain = await t.connect({ gateway: 1 });
    await plain.subscribe(channel);
    await t.publishAll(channel, [price(1), price(2)]);
    expect([(await plain.publication()).data, (await plain.publication()).data]).toEqual([price(1), price(2)]);
    await client.publication();
    expect(patched(price(1), await client.publication())).toEqual(price(2));
  }),
  row('client 189', 'a publication that is not meant for delta comes in full', async (t) => {
    const { client, channel } = await deltaSubscriber(t, 'deltaflag');
    await t.publish(channel, price(1));
    await t.publish(channel, price(2));
    await t.publish(channel, price(3), { delta: true });
    expect((await client.publication()).data).toBe(JSON.stringify(price(1)));
    const second = await client.publication();
    expect(second).toMatchObject({ data: JSON.stringify(price(2)) });
    expect(second).not.toHaveProperty('delta');
    expect(patched(price(2), await client.publication())).toEqual(price(3));
  }),
  row('client 189b', 'a publication after the history was removed comes in full', async (t) => {
    const { client, channel } = await deltaSubscriber(t);
    await t.publishAll(channel, [price(1), price(2)]);
    await client.publication();
    expect(patched(price(1), await client.publication())).toEqual(price(2));
    await t.result('history_remove', { channel });
    await t.publishAll(channel, [price(3), price(4)]);
    expect(await client.publication()).toEqual({ data: JSON.stringify(price(3)), offset: 3 });
    expect(patched(price(3), await client.publication())).toEqual(price(4));
  }),
  row('client 190', 'history is plain for delta subscribers', async (t) => {
    const { client, channel } = await deltaSubscriber(t);
    await t.publishAll(channel, [price(1), price(2)]);
    const { history } = await client.call({ history: { channel, limit: 10 } });
    expect(history.publications.map(({ data }: Json) => data)).toEqual([price(1), price(2)]);
  }),
  row('client 191', 'patches of multi-byte text survive JSON', async (t) => {
    const { client, channel } = await deltaSubscriber(t);
    const texts = ['ä', 'ö', '€', '😀', 'é'].map((letter) => ({
      text: `der gleiche Anfang ${letter} und das gleiche Ende, lang genug`,
    }));
    await t.publishAll(channel, texts);
    let base: unknown;
    for (const text of texts) {
      const publication = await client.publication();
      const value = publication.delta === true ? patched(base, publication) : JSON.parse(publication.data);
      expect(value).toEqual(text);
      base = value;
    }
  }),
];

const leaf = (cmp: string, more: Record<string, unknown> = {}): Json => ({ key: 'k', cmp, ...more });

/** Publishes with each tag value in turn and gives those that a subscriber with the filter receives. */
async function passing(t: Trial, tf: Json, values: readonly (string | undefined)[]): Promise<unknown[]> {
  const client = await t.connect({ gateway: 1 });
  const channel = t.channel('tags');
  expect(await client.subscribe(channel, { tf })).toMatchObject({ subscribe: {} });
  const plain = await t.connect();
  await plain.subscribe(channel);
  for (const value of values)
    await t.publish(channel, value ?? null, value === undefined ? {} : { tags: { k: value } });
  for (const value of values) expect((await plain.publication()).data).toBe(value ?? null);
  // What passes every filter of these rows would end the wait; the position tells that all was seen.
  await client.call({ unsubscribe: { channel } });
  return client.pushes.map(({ pub }) => pub.data);
}

export const filters: readonly Scenario[] = [
  row('client 192', 'eq passes equal tags only', async (t) => {
    expect(await passing(t, leaf('eq', { val: '1' }), ['1', '2', undefined, '1'])).toEqual(['1', '1']);
  }),
  row('client 193', 'neq and nex pass publications without the tag', async (t) => {
    expect(await passing(t, leaf('neq', { val: '1' }), ['1', '2', undefined])).toEqual(['2', null]);
  }),
  row('client 193b', 'nex passes publications without the tag only', async (t) => {
    expect(await passing(t, leaf('nex'), ['1', undefined])).toEqual([null]);
  }),
  row('client 194', 'gt does not pass what is no number', async (t) => {
    expect(await passing(t, leaf('gt', { val: '9' }), ['x', '1e3', ' 10', '10'])).toEqual(['10']);
  }),
  row('client 195', 'gt compares numbers', async (t) => {
    expect(await passing(t, leaf('gt', { val: '9' }), ['10.5', '9', '8', '-10', '9.0000000001'])).toEqual([
      '10.5',
      '9.0000000001',
    ]);
  }),
  row('client 195b', 'in, nin, sw, ew, ct and the operators', async (t) => {
    const tf = {
      op: 'or',
      nodes: [
        leaf('in', { vals: ['a', 'b'] }),
        {
          op: 'and',
          nodes: [leaf('sw', { val: 'x' }), leaf('ew', { val: 'z' }), { op: 'not', nodes: [leaf('ct', { val: 'y' })] }],
        },
      ],
    };
    expect(await passing(t, tf, ['a', 'c', 'xyz', 'xoz', 'xo', undefined])).toEqual(['a', 'xoz']);
  }),
  ...Object.entries({
    'and without children': { op: 'and' },
    'or without children': { op: 'or', nodes: [] },
    'not with two children': { op: 'not', nodes: [leaf('ex'), leaf('nex')] },
    'an unknown comparison': leaf('like', { val: 'x' }),
    'an unknown operator': { op: 'xor', nodes: [leaf('ex')] },
    'in without vals': leaf('in'),
    'eq without val': leaf('eq'),
    'eq with vals': leaf('eq', { val: '1', vals: ['1'] }),
    'eq without a key': { cmp: 'eq', val: '1' },
  }).map(([what, tf]) =>
    row(`client 196 ${what}`, `a filter with ${what} gets 107`, async (t) => {
      const client = await t.connect();
      expect(await client.subscribe(t.channel('tags'), { tf })).toEqual({
        id: 2,
        error: { code: 107, message: 'bad request' },
      });
    }),
  ),
  row('client 197', 'a filter where none is allowed gets 107', async (t) => {
    const client = await t.connect();
    expect(await client.subscribe(t.channel('hist'), { tf: leaf('ex') })).toMatchObject({ error: { code: 107 } });
  }),
  row('client 197b', 'a subscription that has expired gets 110 before anybody looks at its filter', async (t) => {
    const client = await t.connect();
    const channel = t.channel('hist');
    const token = t.subToken(channel, { expire_at: 1 });
    expect(await client.subscribe(channel, { token, tf: {} })).toMatchObject({ error: { code: 110 } });
  }),
  row('client 198', 'filtered publications make no gap', async (t) => {
    const client = await t.connect();
    const channel = t.channel('tags');
    await client.subscribe(channel, { tf: leaf('eq', { val: '1' }) });
    for (const k of ['2', '2', '1', '2', '1']) await t.publish(channel, k, { tags: { k } });
    expect((await client.publication()).offset).toBe(3);
    expect((await client.publication()).offset).toBe(5);
  }),
  row('client 199', 'a recovery where everything is filtered is recovered', async (t) => {
    const channel = t.channel('tags');
    for (const k of ['1', '2', '2']) await t.publish(channel, k, { tags: { k } });
    const { epoch } = await t.result('history', { channel });
    const client = await t.connect();
    const { subscribe } = await client.subscribe(channel, {
      recover: true,
      offset: 1,
      epoch,
      tf: leaf('eq', { val: '1' }),
    });
    expect(subscribe).toMatchObject({ recovered: true, was_recovering: true });
    expect(subscribe).not.toHaveProperty('publications');
  }),
  row('client 200', 'a filtered recovery during publications is not broken off', async (t) => {
    const channel = t.channel('tags');
    await t.publish(channel, 0, { tags: { k: '1' } });
    const { epoch } = await t.result('history', { channel });
    const publishing = Promise.all(
      Array.from({ length: 9 }, (_value, n) => t.publish(channel, n, { tags: { k: String(n % 2) } })),
    );
    const client = await t.connect();
    const { subscribe } = await client.subscribe(channel, {
      recover: true,
      offset: 1,
      epoch,
      tf: leaf('eq', { val: '1' }),
    });
    await publishing;
    const seen = (subscribe.publications ?? []).map(({ data }: Json) => data);
    while (seen.length < 4) seen.push((await client.publication()).data);
    expect(seen.sort()).toEqual([1, 3, 5, 7]);
  }),
];

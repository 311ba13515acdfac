import { describe, expect, it } from 'vitest';
import type { WireForm } from '../../edge/socket.ts';
import type { FakeClient } from '../testing/fake-client.ts';
import { DeltaReader, text } from '../testing/fake-client.ts';
import { FREE, HubBench, RECOVERABLE } from '../testing/hub-bench.ts';

const DELTA = { ...RECOVERABLE, delta: true };
const FIRST = '{"price":100,"symbol":"AAPL","venue":"NASDAQ"}';
const SECOND = '{"price":101,"symbol":"AAPL","venue":"NASDAQ"}';
const PATCH = 'j\nC:{"price":101Y@C,1bGS8b;';

function flags(client: FakeClient): (boolean | undefined)[] {
  return client.publications.map(({ delta }) => delta);
}

function readBy(client: FakeClient): string[] {
  return new DeltaReader(client.socket.traits.encoding).read(client.publications);
}

describe('delta', () => {
  it('sends the first publication in full as a JSON string, the next as a patch', async () => {
    const bench = new HubBench();
    const client = await bench.subscribed(DELTA);
    bench.broker.publish('news', FIRST, { delta: true, version: 5 });
    bench.broker.publish('news', SECOND, { delta: true, tags: { k: 'v' }, version: 6 });
    expect(client.messages.map((message) => text(message))).toEqual([
      `{"push":{"channel":"news","pub":{"data":${JSON.stringify(FIRST)},"offset":1}}}`,
      `{"push":{"channel":"news","pub":{"data":${JSON.stringify(PATCH)},"offset":2,"tags":{"k":"v"},"delta":true}}}`,
    ]);
    expect(readBy(client)).toEqual([FIRST, SECOND]);
  });

  it.each<WireForm>(['json', 'protobuf', 'uni_json', 'uni_protobuf'])('reads back whole over %s', async (form) => {
    const bench = new HubBench();
    const client = await bench.subscribed(DELTA, { form, topics: form === 'json' });
    const payloads = [FIRST, SECOND, FIRST, FIRST, '1', SECOND];
    for (const payload of payloads) bench.broker.publish('news', payload, { delta: true });
    expect(readBy(client)).toEqual(payloads);
    expect(flags(client)).toEqual([undefined, true, true, true, undefined, undefined]);
  });

  it('keeps the epoch in the first full publication over Protobuf only', async () => {
    const bench = new HubBench();
    const json = await bench.subscribed(DELTA);
    const protobuf = await bench.subscribed(DELTA, { form: 'protobuf' });
    bench.broker.publish('news', FIRST, { delta: true });
    expect(json.publications[0]?.epoch).toBeUndefined();
    expect(protobuf.publications[0]?.epoch).toBe('epoch1');
  });

  it('leaves other subscribers of the channel alone', async () => {
    const bench = new HubBench();
    await bench.subscribed(DELTA);
    const plain = await bench.subscribed(FREE);
    bench.broker.publish('news', FIRST, { delta: true });
    bench.broker.publish('news', SECOND, { delta: true });
    expect(plain.payloads).toEqual([FIRST, SECOND]);
  });

  it('makes one patch and one frame however many subscribers there are', async () => {
    const bench = new HubBench();
    const clients = [];
    for (let index = 0; index < 5; index += 1) clients.push(await bench.subscribed(DELTA));
    bench.broker.publish('news', FIRST, { delta: true });
    bench.broker.publish('news', SECOND, { delta: true });
    expect(bench.counts.patches).toBe(1);
    expect(bench.counts.framesEncoded).toBe(2);
    expect(bench.topics.published).toHaveLength(1);
    for (const client of clients) expect(client.topics.size).toBe(1);
  });

  it('sends publications that were made without delta in full', async () => {
    const bench = new HubBench();
    const client = await bench.subscribed(DELTA);
    const payloads = [FIRST, SECOND, FIRST];
    for (const [index, payload] of payloads.entries()) bench.broker.publish('news', payload, { delta: index !== 1 });
    expect(readBy(client)).toEqual(payloads);
    expect(flags(client)).toEqual([undefined, undefined, true]);
  });

  it('sends the publication after one outside the stream in full', async () => {
    const bench = new HubBench();
    const client = await bench.subscribed(DELTA);
    bench.broker.publish('news', FIRST, { delta: true });
    bench.broker.publish('news', '"outside"', { delta: true, skipHistory: true });
    bench.broker.publish('news', SECOND, { delta: true });
    bench.broker.publish('news', FIRST, { delta: true });
    expect(readBy(client)).toEqual([FIRST, '"outside"', SECOND, FIRST]);
    expect(flags(client)).toEqual([undefined, undefined, undefined, true]);
  });

  it('sends a newcomer its first stream publication in full while others get a patch', async () => {
    const bench = new HubBench();
    const old = await bench.subscribed(DELTA);
    bench.broker.publish('news', FIRST, { delta: true });
    const fresh = await bench.subscribed(DELTA);
    bench.broker.publish('news', '"outside"', { skipHistory: true });
    bench.broker.publish('news', SECOND, { delta: true });
    bench.broker.publish('news', FIRST, { delta: true });
    expect(readBy(old)).toEqual([FIRST, '"outside"', SECOND, FIRST]);
    expect(readBy(fresh)).toEqual(['"outside"', SECOND, FIRST]);
    expect(flags(fresh)).toEqual([undefined, undefined, true]);
  });

  it('never patches for subscribers without a position', async () => {
    const bench = new HubBench();
    const json = await bench.subscribed({ ...FREE, delta: true });
    const protobuf = await bench.subscribed({ ...FREE, delta: true }, { form: 'protobuf' });
    bench.broker.publish('news', FIRST, { delta: true });
    bench.broker.publish('news', SECOND, { delta: true });
    expect(flags(json)).toEqual([undefined, undefined]);
    expect(readBy(json)).toEqual([FIRST, SECOND]);
    expect(protobuf.payloads).toEqual([FIRST, SECOND]);
    expect(bench.counts.patches).toBe(0);
  });

  it('recovers the first publication in full and the others as patches, then goes on with a patch', async () => {
    const bench = new HubBench();
    for (const payload of [FIRST, SECOND, FIRST]) bench.broker.publish('news', payload, { delta: true });
    for (const form of ['json', 'protobuf'] as const) {
      const client = bench.client({ form });
      const state = await bench.subscribe(client, { ...DELTA, recoverFrom: { offset: 0, epoch: 'epoch1' } });
      expect(state.delta).toBe(true);
      expect(state.publications.map(({ delta }) => delta)).toEqual([undefined, true, true]);
      const reader = new DeltaReader(form);
      expect(reader.read(state.publications)).toEqual([FIRST, SECOND, FIRST]);
      bench.broker.publish('news', SECOND, { delta: true });
      expect(client.publications[0]?.delta).toBe(true);
      expect(reader.read(client.publications)).toEqual([SECOND]);
      bench.hub.close(client, 'news');
      bench.broker.publish('news', FIRST, { delta: true });
      await bench.clock.advance(3_000);
      bench.broker.reset('news', false);
      bench.broker.stream('news').epoch = 'epoch1';
      for (const payload of [FIRST, SECOND, FIRST]) bench.broker.publish('news', payload, { delta: true });
    }
  });

  it('sends the first live publication in full after recovering nothing', async () => {
    const bench = new HubBench();
    const other = await bench.subscribed(DELTA);
    bench.broker.publish('news', FIRST, { delta: true });
    const client = bench.client();
    await bench.subscribe(client, { ...DELTA, recoverFrom: { offset: 1, epoch: 'epoch1' } });
    bench.broker.publish('news', SECOND, { delta: true });
    expect(flags(client)).toEqual([undefined]);
    expect(flags(other)).toEqual([undefined, true]);
  });

  it('makes patches of multi-byte text that survive the JSON string', async () => {
    const bench = new HubBench();
    const client = await bench.subscribed(DELTA);
    const payloads = ['é', 'è', 'ê', '世', '丗', '🎉', '🎊'].map((letter) =>
      JSON.stringify({ text: `same beginning ${letter} same end` }),
    );
    for (const payload of payloads) bench.broker.publish('news', payload, { delta: true });
    expect(readBy(client)).toEqual(payloads);
  });

  it('never patches text that is not UTF-8 over JSON', async () => {
    const bench = new HubBench();
    const json = await bench.subscribed(DELTA);
    const protobuf = await bench.subscribed(DELTA, { form: 'protobuf' });
    const broken = (last: string): Uint8Array =>
      Buffer.concat([Buffer.from('"a long common beginning '), Uint8Array.of(0xff), Buffer.from(`${last}"`)]);
    for (const last of ['a', 'b', 'c']) bench.broker.publish('news', '', { raw: broken(last), delta: true });
    expect(flags(json)).toEqual([undefined, undefined, undefined]);
    expect(flags(protobuf)).toEqual([undefined, true, true]);
  });

  it('keeps no payload once no positioned delta subscriber is left', async () => {
    const bench = new HubBench();
    const client = await bench.subscribed(DELTA);
    await bench.subscribed(FREE);
    bench.broker.publish('news', FIRST, { delta: true });
    bench.hub.close(client, 'news');
    bench.broker.publish('news', SECOND, { delta: true });
    const again = await bench.subscribed(DELTA);
    bench.broker.publish('news', FIRST, { delta: true });
    expect(readBy(again)).toEqual([FIRST]);
  });
});

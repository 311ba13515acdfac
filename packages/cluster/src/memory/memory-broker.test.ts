import { FakeClock } from '@carillon/service-kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { brokerContract } from '../contract/broker.contract.ts';
import { RecordingReceiver, textAt } from '../contract/recording-receiver.ts';
import { MemoryBroker } from './memory-broker.ts';

const retention = { historySize: 3, historyTtlMs: 10_000, historyMetaTtlMs: 60_000 };
const data = new TextEncoder().encode('{}');

brokerContract('memory', async () => {
  const clock = new FakeClock();
  const received = new RecordingReceiver();
  const broker = new MemoryBroker({ clock, receiver: received });
  return {
    nodes: [{ broker, received }],
    elapse: async (ms) => clock.advanceSync(ms),
    close: () => broker.close(),
  };
});

describe('memory broker', () => {
  let clock: FakeClock;
  let received: RecordingReceiver;
  let broker: MemoryBroker;

  beforeEach(() => {
    clock = new FakeClock();
    received = new RecordingReceiver();
    broker = new MemoryBroker({ clock, receiver: received, maxStreams: 2, maxIdempotencyKeys: 2 });
  });

  afterEach(() => broker.close());

  it('delivers before publish returns', () => {
    void broker.join('a', {});
    const publishing = broker.publish({ channel: 'a', data, retention });
    expect(received.log('a')).toEqual(['{}@1']);
    return publishing;
  });

  it('frees a stream that nobody touches when its meta ttl has passed, and then sets no timer any more', async () => {
    await broker.publish({ channel: 'a', data, retention });
    expect(broker.numStreams).toBe(1);
    clock.advanceSync(59_000);
    expect(broker.numStreams).toBe(1);
    clock.advanceSync(3_000);
    expect(broker.numStreams).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it('keeps epoch and offset for ever when the meta ttl is infinite, and the list no longer than its own', async () => {
    const forever = { ...retention, historyMetaTtlMs: Infinity };
    const { position } = await broker.publish({ channel: 'a', data, retention: forever });
    clock.advanceSync(1_000_000_000);
    expect(clock.pendingTimers).toBe(0);
    expect(await broker.history('a', { retention: forever, limit: -1 })).toEqual({ publications: [], top: position });
    await broker.publish({ channel: 'a', data, retention: forever });
    clock.advanceSync(9_000);
    expect((await broker.history('a', { retention: forever, limit: -1 })).publications).toHaveLength(1);
  });

  it('leaves it to the next publication to tell that a stream began anew', async () => {
    await broker.join('a', { retention });
    await broker.publish({ channel: 'a', data, retention });
    clock.advanceSync(62_000);
    expect(received.log('a')).toEqual(['{}@1']);
    await broker.history('a', { retention, limit: 0 });
    expect(received.log('a')).toEqual(['{}@1']);
    await broker.publish({ channel: 'a', data, retention });
    expect(received.log('a')).toEqual(['{}@1', '{}@1']);
    expect(new Set(received.lives('a').map(({ epoch }) => epoch)).size).toBe(2);
  });

  it('makes no more streams than it may, and others once some have expired', async () => {
    await broker.publish({ channel: 'a', data, retention });
    await broker.publish({ channel: 'b', data, retention });
    await expect(broker.publish({ channel: 'c', data, retention })).rejects.toMatchObject({
      name: 'OperationalError',
      code: 'broker_full',
    });
    expect((await broker.publish({ channel: 'c', data })).position.offset).toBe(0);
    clock.advanceSync(62_000);
    expect((await broker.publish({ channel: 'c', data, retention })).position.offset).toBe(1);
  });

  it('forgets the oldest idempotency key when there are more than it may hold', async () => {
    for (const idempotencyKey of ['k1', 'k2', 'k3']) await broker.publish({ channel: 'a', data, idempotencyKey });
    expect((await broker.publish({ channel: 'a', data, idempotencyKey: 'k3' })).suppressed).toBe('idempotency');
    expect((await broker.publish({ channel: 'a', data, idempotencyKey: 'k1' })).suppressed).toBeUndefined();
  });

  it('keeps keys apart from channel names that end alike', async () => {
    await broker.publish({ channel: 'a', data, idempotencyKey: 'bc' });
    expect((await broker.publish({ channel: 'ab', data, idempotencyKey: 'c' })).suppressed).toBeUndefined();
  });

  it('does not keep a big frame for the sake of a small publication in it', async () => {
    const frame = new Uint8Array(1_000_000);
    await broker.publish({ channel: 'a', data: frame.subarray(10, 20), retention });
    const { publications } = await broker.history('a', { retention, limit: 1 });
    expect(publications[0]?.data?.buffer.byteLength).toBe(10);
  });

  it('keeps what it stored through many turns of the ring', async () => {
    for (let index = 0; index < 1_000; index += 1) await broker.publish({ channel: 'a', data, retention });
    const { publications, top } = await broker.history('a', { retention, limit: -1 });
    expect(top.offset).toBe(1_000);
    expect(publications.map(textAt)).toEqual(['{}@998', '{}@999', '{}@1000']);
  });

  it('refuses everything after it was closed, and closes twice', async () => {
    expect(broker.unavailable()).toBeUndefined();
    await broker.publish({ channel: 'a', data, retention });
    await broker.close();
    await broker.close();
    expect(broker.unavailable()).toBe('closed');
    expect(clock.pendingTimers).toBe(0);
    await expect(broker.publish({ channel: 'a', data })).rejects.toMatchObject({ code: 'broker_closed' });
    await expect(broker.history('a', { retention, limit: 0 })).rejects.toMatchObject({ code: 'broker_closed' });
  });
});

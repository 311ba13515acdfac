import { describe, expect, it } from 'vitest';
import type { PublishResult } from '../broker.ts';
import { bytes, freshChannel, retain, type BrokerUnderTest, type Extra } from './broker-setup.ts';
import { eventually } from './eventually.ts';

/** Idempotency keys and versions (channels-and-config §2.3). */
export function describeOnce(underTest: () => BrokerUnderTest): void {
  const publish = (channel: string, text: string, extra: Extra = {}): Promise<PublishResult> =>
    underTest().publisher.broker.publish({ channel, data: bytes(text), retention: retain(), ...extra });

  /** What a receiver has got once a last publication, the fence, has reached it. */
  const receivedUntilFence = async (channel: string): Promise<string[]> => {
    await publish(channel, 'fence');
    const { received } = underTest().reader;
    await eventually(() => expect(received.log(channel).at(-1)).toMatch(/^fence@/));
    return received.log(channel).slice(0, -1);
  };

  const joined = async (): Promise<string> => {
    const channel = freshChannel();
    await underTest().reader.broker.join(channel, { retention: retain() });
    return channel;
  };

  describe('idempotency keys', () => {
    it('let one publication through and repeat its position', async () => {
      const channel = await joined();
      const first = await publish(channel, 'a', { idempotencyKey: 'k' });
      await publish(channel, 'b');
      const second = await publish(channel, 'again', { idempotencyKey: 'k' });
      expect(first.suppressed).toBeUndefined();
      expect(second).toEqual({ position: first.position, suppressed: 'idempotency' });
      expect(await receivedUntilFence(channel)).toEqual(['a@1', 'b@2']);
    });

    it('hold on every node and for publishes at the same time', async () => {
      const channel = await joined();
      const { publisher, reader } = underTest();
      const request = { channel, data: bytes('a'), retention: retain(), idempotencyKey: 'k' };
      const results = await Promise.all(
        [publisher, reader, publisher, reader].map(({ broker }) => broker.publish(request)),
      );
      expect(results.filter(({ suppressed }) => suppressed === undefined)).toHaveLength(1);
      for (const { position } of results) expect(position).toEqual(results[0]?.position);
      expect(await receivedUntilFence(channel)).toEqual(['a@1']);
    });

    it('count per channel', async () => {
      const channels = [await joined(), await joined()];
      for (const channel of channels) await publish(channel, 'a', { idempotencyKey: 'k' });
      for (const channel of channels) expect(await receivedUntilFence(channel)).toEqual(['a@1']);
    });

    it('work without history', async () => {
      const channel = freshChannel();
      const { publisher, reader } = underTest();
      await reader.broker.join(channel, {});
      const request = { channel, data: bytes('a'), idempotencyKey: 'k' };
      const first = await publisher.broker.publish(request);
      const second = await publisher.broker.publish(request);
      expect(first).toEqual({ position: { offset: 0, epoch: '' } });
      expect(second).toEqual({ position: { offset: 0, epoch: '' }, suppressed: 'idempotency' });
      await publisher.broker.publish({ channel, data: bytes('fence') });
      await eventually(() => expect(reader.received.log(channel)).toEqual(['a@0', 'fence@0']));
    });

    it('count for what is kept and for what is not kept of a channel with history', async () => {
      const channel = await joined();
      const { publisher, reader } = underTest();
      const outside = { position: { offset: 0, epoch: '' } };
      const publishOutside = (text: string, idempotencyKey: string, { broker } = publisher): Promise<PublishResult> =>
        broker.publish({ channel, data: bytes(text), streamRetention: retain(), idempotencyKey });
      const { position } = await publish(channel, 'a', { idempotencyKey: 'kept' });
      for (const node of [publisher, reader]) {
        expect(await publishOutside('again', 'kept', node)).toEqual({ position, suppressed: 'idempotency' });
      }
      expect(await publishOutside('b', 'not kept')).toEqual(outside);
      for (const node of [publisher, reader]) {
        const request = { channel, data: bytes('again'), retention: retain(), idempotencyKey: 'not kept' };
        expect(await node.broker.publish(request)).toEqual({ ...outside, suppressed: 'idempotency' });
        expect(await publishOutside('again', 'not kept', node)).toEqual({ ...outside, suppressed: 'idempotency' });
      }
      expect((await publish(channel, 'c')).position).toEqual({ ...position, offset: 2 });
      expect(await receivedUntilFence(channel)).toEqual(['a@1', 'b@0', 'c@2']);
    });

    it('let one publication outside the stream through, however many nodes publish it at the same time', async () => {
      const channel = await joined();
      const { publisher, reader } = underTest();
      const request = { channel, data: bytes('a'), streamRetention: retain(), idempotencyKey: 'k' };
      const results = await Promise.all(
        [publisher, reader, publisher, reader].map(({ broker }) => broker.publish(request)),
      );
      expect(results.filter(({ suppressed }) => suppressed === undefined)).toHaveLength(1);
      expect(await receivedUntilFence(channel)).toEqual(['a@0']);
    });

    it('may hold any characters', async () => {
      const channel = await joined();
      for (const idempotencyKey of ['a b', 'a.b', 'a*', '>', 'é\n', 'A B'])
        await publish(channel, 'a', { idempotencyKey });
      expect(await receivedUntilFence(channel)).toHaveLength(6);
    });

    it('may be used again after their time', async () => {
      const channel = await joined();
      const { setup, idempotencyTtlMs, expirySlackMs } = underTest();
      await publish(channel, 'a', { idempotencyKey: 'k' });
      await setup.elapse(idempotencyTtlMs + expirySlackMs);
      const again = await publish(channel, 'b', { idempotencyKey: 'k' });
      expect(again.suppressed).toBeUndefined();
      await eventually(() => expect(underTest().reader.received.log(channel)).toContain(`b@${again.position.offset}`));
    }, 30_000);
  });

  describe('versions', () => {
    it('suppress a lower and an equal one and answer with the top', async () => {
      const channel = await joined();
      await publish(channel, 'five', { version: 5 });
      const top = await publish(channel, 'plain');
      expect(await publish(channel, 'four', { version: 4 })).toEqual({ position: top.position, suppressed: 'version' });
      expect(await publish(channel, 'five', { version: 5 })).toEqual({ position: top.position, suppressed: 'version' });
      expect((await publish(channel, 'six', { version: 6 })).suppressed).toBeUndefined();
      expect(await receivedUntilFence(channel)).toEqual(['five@1', 'plain@2', 'six@3']);
    });

    it('count in nanoseconds, beyond what a number holds exactly', async () => {
      const channel = await joined();
      const start = 1_770_000_000_123_456_789n;
      for (const version of [Number.MAX_SAFE_INTEGER, start, start + 1n, 2n ** 64n - 1n]) {
        expect((await publish(channel, String(version), { version })).suppressed).toBeUndefined();
        expect((await publish(channel, 'again', { version })).suppressed).toBe('version');
      }
      expect((await publish(channel, 'lower', { version: start })).suppressed).toBe('version');
      expect((await publish(channel, 'five', { version: 5, versionEpoch: 'x' })).suppressed).toBeUndefined();
      const { publications } = await underTest().reader.broker.history(channel, { retention: retain(), limit: -1 });
      expect(publications.map(({ version }) => version)).toEqual([
        Number.MAX_SAFE_INTEGER,
        start,
        start + 1n,
        2n ** 64n - 1n,
        5,
      ]);
    });

    it('travel with the publication', async () => {
      const channel = await joined();
      await publish(channel, 'five', { version: 5 });
      await publish(channel, 'plain');
      const { reader } = underTest();
      const { publications } = await reader.broker.history(channel, { retention: retain(), limit: -1 });
      expect(publications.map(({ version }) => version ?? 0)).toEqual([5, 0]);
    });

    it('compare within one version epoch only', async () => {
      const channel = await joined();
      await publish(channel, 'a', { version: 5, versionEpoch: 'x' });
      expect((await publish(channel, 'b', { version: 5, versionEpoch: 'x' })).suppressed).toBe('version');
      expect((await publish(channel, 'c', { version: 5, versionEpoch: 'y' })).suppressed).toBeUndefined();
      expect((await publish(channel, 'd', { version: 5 })).suppressed).toBe('version');
      expect(await receivedUntilFence(channel)).toEqual(['a@1', 'c@2']);
    });

    it('survive a publication without version, and a removal of history', async () => {
      const channel = await joined();
      await publish(channel, 'five', { version: 5 });
      await publish(channel, 'plain');
      expect((await publish(channel, 'four', { version: 4 })).suppressed).toBe('version');
      await underTest().publisher.broker.removeHistory(channel, retain());
      expect((await publish(channel, 'four', { version: 4 })).suppressed).toBe('version');
    });

    it('are ignored where the channel keeps no history', async () => {
      const channel = await joined();
      await publish(channel, 'five', { version: 5 });
      const { broker } = underTest().publisher;
      const aside = await broker.publish({ channel, data: bytes('aside'), version: 1 });
      expect(aside).toEqual({ position: { offset: 0, epoch: '' } });
    });

    it('leave an idempotency key unused when they suppress', async () => {
      const channel = await joined();
      await publish(channel, 'five', { version: 5 });
      expect((await publish(channel, 'four', { version: 4, idempotencyKey: 'k' })).suppressed).toBe('version');
      expect((await publish(channel, 'six', { version: 6, idempotencyKey: 'k' })).suppressed).toBeUndefined();
      expect(await receivedUntilFence(channel)).toEqual(['five@1', 'six@2']);
    });

    it('come after idempotency keys', async () => {
      const channel = await joined();
      const first = await publish(channel, 'five', { version: 5, idempotencyKey: 'k' });
      await publish(channel, 'nine', { version: 9 });
      expect(await publish(channel, 'five', { version: 5, idempotencyKey: 'k' })).toEqual({
        position: first.position,
        suppressed: 'idempotency',
      });
    });
  });
}

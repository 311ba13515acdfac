import { describe, expect, it } from 'vitest';
import type { PublishRequest } from '../broker.ts';
import { bytes, freshChannel, publishTexts, retain, type BrokerUnderTest } from './broker-setup.ts';
import { eventually } from './eventually.ts';
import { textAt } from './recording-receiver.ts';

/** Live delivery: order, join and part, joins and leaves, and what a read promises (channels-and-config §2.5, §2.6). */
export function describeLive(underTest: () => BrokerUnderTest): void {
  const joined = async (): Promise<BrokerUnderTest & { channel: string }> => {
    const channel = freshChannel();
    await underTest().reader.broker.join(channel, { retention: retain() });
    return { channel, ...underTest() };
  };

  describe('live delivery', () => {
    it('hands each publication over once and in the order of offsets', async () => {
      const { channel, publisher, reader } = await joined();
      const retention = retain({ historySize: 200 });
      await Promise.all(
        Array.from({ length: 100 }, (_, index) =>
          publisher.broker.publish({ channel, data: bytes(`m${index}`), retention }),
        ),
      );
      const page = await reader.broker.history(channel, { retention, limit: -1 });
      await eventually(() => expect(reader.received.log(channel)).toHaveLength(100));
      expect(reader.received.log(channel)).toEqual(page.publications.map(textAt));
    });

    it('carries epoch, offset, publisher, tags and the time of a publication', async () => {
      const { channel, publisher, reader } = await joined();
      const info = { user: 'u', client: 'c', connInfo: bytes('{}') };
      const data = Uint8Array.from([0, 255]);
      const result = await publisher.broker.publish({
        channel,
        data,
        info,
        tags: { k: 'v' },
        retention: retain(),
      });
      await eventually(() => expect(reader.received.events(channel)).toHaveLength(1));
      const [event] = reader.received.events(channel);
      if (event?.kind !== 'publication') throw new Error('not a publication');
      const { live } = event;
      expect(live.epoch).toBe(result.position.epoch);
      expect(live.publication.offset).toBe(1);
      expect(live.delta).toBe(false);
      expect(Uint8Array.from(live.publication.data ?? [])).toEqual(data);
      expect(live.publication.info).toMatchObject({ user: 'u', client: 'c' });
      expect(live.publication.tags).toEqual({ k: 'v' });
      expect(live.publishedAt).toBeGreaterThan(1_600_000_000_000);
    });

    it('marks for a patch what is published so and follows on something that is kept', async () => {
      const { channel, publisher, reader, setup, expirySlackMs } = await joined();
      const publish = (delta: boolean, more: Partial<PublishRequest> = { retention: retain() }) =>
        publisher.broker.publish({ channel, data: bytes('x'), delta, ...more });
      const shortly = { retention: retain({ historyTtlMs: 1_000 }) };
      await publish(true);
      await Promise.all([publish(true), publish(false), publish(true)]);
      await publish(true, {});
      await publish(true);
      await publisher.broker.removeHistory(channel, retain());
      await publish(true);
      await publish(true, shortly);
      await setup.elapse(1_000 + expirySlackMs);
      await publish(true, shortly);
      const marks = (): boolean[] =>
        reader.received.lives(channel).flatMap(({ publication, delta }) => (publication.offset === 0 ? [] : [delta]));
      await eventually(() => expect(marks()).toEqual([false, true, false, true, true, false, true, false]));
    }, 30_000);

    it('carries the version of a publication, in the log and outside', async () => {
      const { channel, publisher, reader } = await joined();
      for (const retention of [retain(), undefined]) {
        await publisher.broker.publish({ channel, data: bytes('x'), version: 7, retention });
      }
      await eventually(() =>
        expect(reader.received.lives(channel).map(({ publication }) => publication.version)).toEqual([7, 7]),
      );
    });

    it('hands over the trace of a publication that has one, in the log and outside, and none of those beside it', async () => {
      const { channel, publisher, reader } = await joined();
      const trace = { traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8), isSampled: true };
      const requests = [{}, { trace }, {}, { trace }].map((more) => ({ channel, data: bytes('x'), ...more }));
      await Promise.all(requests.map((request) => publisher.broker.publish({ ...request, retention: retain() })));
      for (const request of requests.slice(0, 2)) await publisher.broker.publish(request);
      await eventually(() => expect(reader.received.events(channel)).toHaveLength(6));
      const traces = reader.received.events(channel).map((event) => event.kind === 'publication' && event.live.trace);
      expect(traces).toEqual([undefined, trace, undefined, trace, undefined, trace]);
    });

    it('can read from the log whatever it has announced', async () => {
      const { channel, publisher, reader } = await joined();
      await publishTexts(publisher, channel, ['a']);
      await eventually(() => expect(reader.received.log(channel)).toEqual(['a@1']));
      const { top } = await reader.broker.history(channel, { retention: retain(), limit: 0 });
      expect(top.offset).toBe(1);
    });

    it('hands over only live copies where the channel keeps no history', async () => {
      const channel = freshChannel();
      const { publisher, reader } = underTest();
      await reader.broker.join(channel, {});
      const result = await publisher.broker.publish({ channel, data: bytes('a') });
      await publisher.broker.publish({ channel, data: bytes('b') });
      expect(result).toEqual({ position: { offset: 0, epoch: '' } });
      await eventually(() => expect(reader.received.log(channel)).toEqual(['a@0', 'b@0']));
      const [event] = reader.received.events(channel);
      expect(event?.kind === 'publication' && event.live.epoch).toBe('');
    });

    it('hands what the channel does not keep over to its own node before it answers', async () => {
      const channel = freshChannel();
      const { reader } = underTest();
      await reader.broker.join(channel, {});
      for (const text of ['a', 'b']) {
        await reader.broker.publish({ channel, data: bytes(text) });
        expect(reader.received.log(channel).at(-1)).toBe(`${text}@0`);
      }
    });

    it('takes names that no subject of NATS could hold', async () => {
      const { publisher, reader } = underTest();
      const name = `${freshChannel()}${'x'.repeat(20_000)}`;
      for (const channel of [name, `${name}.`]) {
        await reader.broker.join(channel, { retention: retain() });
        await publishTexts(publisher, channel, ['a', 'b']);
        await eventually(() => expect(reader.received.log(channel)).toEqual(['a@1', 'b@2']));
        const page = await publisher.broker.history(channel, { retention: retain(), limit: -1 });
        expect(page.publications.map(textAt)).toEqual(['a@1', 'b@2']);
      }
    });

    it('delivers a publication that skips the history without moving the top', async () => {
      const { channel, publisher, reader } = await joined();
      await publishTexts(publisher, channel, ['a']);
      await eventually(() => expect(reader.received.log(channel)).toEqual(['a@1']));
      const skipped = await publisher.broker.publish({ channel, data: bytes('aside') });
      expect(skipped.position).toEqual({ offset: 0, epoch: '' });
      await eventually(() => expect(reader.received.log(channel)).toEqual(['a@1', 'aside@0']));
      const page = await reader.broker.history(channel, { retention: retain(), limit: -1 });
      expect(page.publications.map(textAt)).toEqual(['a@1']);
      expect(page.top.offset).toBe(1);
    });

    it('keeps channels apart whose names look alike', async () => {
      const { reader, publisher } = underTest();
      const base = freshChannel();
      const names = [
        base,
        `${base}.`,
        `${base}.*`,
        `${base}.>`,
        `${base} `,
        base.toUpperCase(),
        `$${base}`,
        `${base}#1,2`,
      ];
      for (const name of names) await reader.broker.join(name, { retention: retain() });
      for (const name of names) await publishTexts(publisher, name, [name]);
      for (const name of names) {
        await eventually(() => expect(reader.received.log(name)).toEqual([`${name}@1`]));
      }
    });

    it('goes on after a removal of history', async () => {
      const { channel, publisher, reader } = await joined();
      await publishTexts(publisher, channel, ['a', 'b']);
      await publisher.broker.removeHistory(channel, retain());
      await publishTexts(publisher, channel, ['c']);
      await eventually(() => expect(reader.received.log(channel)).toEqual(['a@1', 'b@2', 'c@3']));
    });
  });

  describe('join and part', () => {
    it('receives nothing of a channel that it has not joined', async () => {
      const { publisher, reader } = underTest();
      const [silent, fence] = [freshChannel(), freshChannel()];
      await reader.broker.join(fence, { retention: retain() });
      await publishTexts(publisher, silent, ['a']);
      await publishTexts(publisher, fence, ['a']);
      await eventually(() => expect(reader.received.log(fence)).toEqual(['a@1']));
      expect(reader.received.log(silent)).toEqual([]);
    });

    it('receives what is published from the moment on that join resolves, not what was before', async () => {
      const { publisher, reader } = underTest();
      const channel = freshChannel();
      await publishTexts(publisher, channel, ['old']);
      await reader.broker.join(channel, { retention: retain() });
      await publishTexts(publisher, channel, ['new']);
      await eventually(() => expect(reader.received.log(channel)).toContain('new@2'));
      expect(reader.received.log(channel).at(-1)).toBe('new@2');
    });

    it('receives once after joining twice, and nothing after one part', async () => {
      const { channel, publisher, reader } = await joined();
      await reader.broker.join(channel, { retention: retain() });
      await publishTexts(publisher, channel, ['a']);
      await eventually(() => expect(reader.received.log(channel)).toEqual(['a@1']));
      await reader.broker.part(channel);
      const fence = freshChannel();
      await reader.broker.join(fence, { retention: retain() });
      await publishTexts(publisher, channel, ['b']);
      await publishTexts(publisher, fence, ['a']);
      await eventually(() => expect(reader.received.log(fence)).toEqual(['a@1']));
      expect(reader.received.log(channel)).toEqual(['a@1']);
    });

    it('receives again after parting and joining', async () => {
      const { channel, publisher, reader } = await joined();
      await publishTexts(publisher, channel, ['a']);
      await eventually(() => expect(reader.received.log(channel)).toEqual(['a@1']));
      await reader.broker.part(channel);
      await publishTexts(publisher, channel, ['b']);
      await reader.broker.join(channel, { retention: retain() });
      await publishTexts(publisher, channel, ['c']);
      await eventually(() => expect(reader.received.log(channel).at(-1)).toBe('c@3'));
    });

    it('parts from a channel that was never joined', async () => {
      await expect(underTest().reader.broker.part(freshChannel())).resolves.toBeUndefined();
    });
  });

  describe('joins and leaves', () => {
    it('come in order, have no offset and are not in history', async () => {
      const { channel, publisher, reader } = await joined();
      const info = { user: 'u', client: 'c', connInfo: bytes('{"n":1}'), chanInfo: bytes('{}') };
      await publisher.broker.publishJoin(channel, info);
      await publisher.broker.publishLeave(channel, info);
      await eventually(() => expect(reader.received.log(channel)).toEqual(['join c', 'leave c']));
      const [join] = reader.received.events(channel);
      if (join?.kind !== 'join') throw new Error('not a join');
      expect(join.info).toMatchObject({ user: 'u', client: 'c' });
      expect(Uint8Array.from(join.info.connInfo ?? [])).toEqual(info.connInfo);
      const page = await reader.broker.history(channel, { retention: retain(), limit: -1 });
      expect(page.publications).toEqual([]);
      expect(page.top.offset).toBe(0);
    });

    it('come once to each node that has joined, the one that sends them too', async () => {
      const { channel, publisher, reader } = await joined();
      await publisher.broker.join(channel, { retention: retain() });
      const info = { user: 'u', client: 'c' };
      await publisher.broker.publishJoin(channel, info);
      await reader.broker.publishLeave(channel, info);
      await publishTexts(publisher, channel, ['end']);
      for (const { received } of [publisher, reader]) {
        await eventually(() => expect(received.log(channel).toSorted()).toEqual(['end@1', 'join c', 'leave c']));
      }
      await publishTexts(reader, channel, ['after']);
      for (const { received } of [publisher, reader]) {
        await eventually(() => expect(received.log(channel).at(-1)).toBe('after@2'));
        expect(received.log(channel)).toHaveLength(4);
      }
    });
  });

  describe('a read of a joined channel', () => {
    // invariant: everything up to the returned top has been handed to the receiver before the promise resolves.
    it('accounts only for what the receiver has been given', async () => {
      const { channel, publisher, reader } = await joined();
      const retention = retain({ historySize: 500 });
      const publishing = (async () => {
        for (let index = 0; index < 100; index += 1) {
          await publisher.broker.publish({ channel, data: bytes(`m${index}`), retention });
        }
      })();
      let lastSeen = 0;
      while (lastSeen < 100) {
        const { top } = await reader.broker.history(channel, { retention, limit: 0 });
        const received = reader.received.log(channel);
        if (top.offset > 0) expect(received.at(top.offset - 1)).toBe(`m${top.offset - 1}@${top.offset}`);
        expect(received.length).toBeGreaterThanOrEqual(top.offset);
        lastSeen = top.offset;
      }
      await publishing;
      expect(reader.received.log(channel)).toHaveLength(100);
    });

    it('begins to count where the join found the channel', async () => {
      const { publisher, reader } = underTest();
      const channel = freshChannel();
      await publishTexts(publisher, channel, ['a', 'b']);
      await reader.broker.join(channel, { retention: retain() });
      const { top, publications } = await reader.broker.history(channel, { retention: retain(), limit: -1 });
      expect(top.offset).toBe(2);
      expect(publications.map(textAt)).toEqual(['a@1', 'b@2']);
      await publishTexts(publisher, channel, ['c', 'd']);
      await eventually(() => expect(reader.received.log(channel).slice(-2)).toEqual(['c@3', 'd@4']));
    });
  });
}

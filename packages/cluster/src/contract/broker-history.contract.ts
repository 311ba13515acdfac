import { describe, expect, it } from 'vitest';
import type { HistoryRequest, Retention } from '../broker.ts';
import { bytes, freshChannel, publishTexts, retain, type BrokerUnderTest } from './broker-setup.ts';
import { eventually } from './eventually.ts';
import { textAt } from './recording-receiver.ts';

/** Offsets, retention and reads (channels-and-config §2.2, §2.4). */
export function describeHistory(underTest: () => BrokerUnderTest): void {
  const read = (channel: string, request: Partial<HistoryRequest> = {}) =>
    underTest().reader.broker.history(channel, { retention: retain(), limit: -1, ...request });
  const texts = async (channel: string, request: Partial<HistoryRequest> = {}) =>
    (await read(channel, request)).publications.map(textAt);

  describe('offsets and epochs', () => {
    it('numbers the first stored publication 1 and the next ones without a hole', async () => {
      const { publisher } = underTest();
      expect(await publishTexts(publisher, freshChannel(), ['a', 'b', 'c'])).toEqual([1, 2, 3]);
    });

    it('answers a read of a channel without publications with offset 0 and an epoch that the first publish keeps', async () => {
      const { publisher } = underTest();
      const channel = freshChannel();
      const empty = await read(channel);
      expect(empty.publications).toEqual([]);
      expect(empty.top.offset).toBe(0);
      expect(empty.top.epoch).toMatch(/^[A-Za-z]{8}$/);
      const { position } = await publisher.broker.publish({ channel, data: bytes('a'), retention: retain() });
      expect(position).toEqual({ offset: 1, epoch: empty.top.epoch });
    });

    it('gives the same epoch to readers that come at the same time', async () => {
      const { publisher, reader } = underTest();
      const channel = freshChannel();
      const request = { retention: retain(), limit: 0 };
      const pages = await Promise.all([
        publisher.broker.history(channel, request),
        reader.broker.history(channel, request),
        reader.broker.history(channel, request),
      ]);
      expect(new Set(pages.map((page) => page.top.epoch)).size).toBe(1);
    });

    it('gives channels epochs of their own', async () => {
      const first = await read(freshChannel());
      const second = await read(freshChannel());
      expect(first.top.epoch).not.toBe(second.top.epoch);
    });

    it('numbers publications made at the same time without holes or repeats', async () => {
      const { publisher, reader } = underTest();
      const channel = freshChannel();
      const retention = retain({ historySize: 100 });
      const results = await Promise.all(
        Array.from({ length: 40 }, (_, index) => {
          const { broker } = index % 2 === 0 ? publisher : reader;
          return broker.publish({ channel, data: bytes(`m${index}`), retention });
        }),
      );
      const offsets = results.map(({ position }) => position.offset).sort((a, b) => a - b);
      expect(offsets).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
      const page = await read(channel, { retention });
      for (const [index, { position }] of results.entries()) {
        expect(textAt(page.publications[position.offset - 1] ?? {})).toBe(`m${index}@${position.offset}`);
      }
    });

    it('keeps publisher, tags and any bytes of a publication', async () => {
      const { publisher } = underTest();
      const channel = freshChannel();
      const data = Uint8Array.from([0, 255, 10, 13, 123]);
      const info = { user: 'u', client: 'c', connInfo: bytes('{"a":1}'), chanInfo: bytes('x') };
      await publisher.broker.publish({ channel, data, info, tags: { k: 'v' }, retention: retain() });
      const [publication] = (await read(channel)).publications;
      expect(Uint8Array.from(publication?.data ?? [])).toEqual(data);
      expect(publication?.tags).toEqual({ k: 'v' });
      expect(publication?.info?.user).toBe('u');
      expect(publication?.info?.client).toBe('c');
      expect(Uint8Array.from(publication?.info?.connInfo ?? [])).toEqual(info.connInfo);
      expect(Uint8Array.from(publication?.info?.chanInfo ?? [])).toEqual(info.chanInfo);
    });

    it('stores an empty payload', async () => {
      const { publisher } = underTest();
      const channel = freshChannel();
      await publishTexts(publisher, channel, ['', 'b']);
      expect(await texts(channel)).toEqual(['@1', 'b@2']);
    });
  });

  describe('retention by size', () => {
    it('keeps the newest three after five publications when the size is three', async () => {
      const { publisher } = underTest();
      const channel = freshChannel();
      const retention = retain({ historySize: 3 });
      await publishTexts(publisher, channel, ['a', 'b', 'c', 'd', 'e'], retention);
      expect(await texts(channel, { retention })).toEqual(['c@3', 'd@4', 'e@5']);
    });

    it('goes on with the same positions when the size of a live channel grows', async () => {
      const { publisher } = underTest();
      const channel = freshChannel();
      const small = retain({ historySize: 2 });
      const large = retain({ historySize: 5 });
      await publishTexts(publisher, channel, ['a', 'b', 'c'], small);
      const before = await read(channel, { retention: small });
      expect(await publishTexts(publisher, channel, ['d', 'e', 'f', 'g', 'h'], large)).toEqual([4, 5, 6, 7, 8]);
      const after = await read(channel, { retention: large });
      expect(after.top.epoch).toBe(before.top.epoch);
      expect(after.publications.map(textAt)).toEqual(['d@4', 'e@5', 'f@6', 'g@7', 'h@8']);
    });

    it('goes on with the same positions and keeps the newest when the size of a live channel shrinks', async () => {
      const { publisher } = underTest();
      const channel = freshChannel();
      const small = retain({ historySize: 2 });
      await publishTexts(publisher, channel, ['a', 'b', 'c', 'd'], retain({ historySize: 5 }));
      expect(await publishTexts(publisher, channel, ['e', 'f'], small)).toEqual([5, 6]);
      expect(await texts(channel, { retention: small })).toEqual(['e@5', 'f@6']);
    });
  });

  describeExpiry(underTest);

  describe('removal', () => {
    it('empties the list and keeps epoch and offset', async () => {
      const { publisher } = underTest();
      const channel = freshChannel();
      await publishTexts(publisher, channel, ['a', 'b']);
      const before = await read(channel);
      await publisher.broker.removeHistory(channel, retain());
      expect(await read(channel)).toEqual({ publications: [], top: before.top });
      expect(await publishTexts(publisher, channel, ['c'])).toEqual([3]);
      const after = await read(channel);
      expect(after.publications.map(textAt)).toEqual(['c@3']);
      expect(after.top.epoch).toBe(before.top.epoch);
    });

    it('of a channel without history is fine', async () => {
      const { publisher } = underTest();
      await expect(publisher.broker.removeHistory(freshChannel(), retain())).resolves.toBeUndefined();
    });

    it('holds when it is repeated', async () => {
      const { publisher } = underTest();
      const channel = freshChannel();
      await publishTexts(publisher, channel, ['a', 'b']);
      await publisher.broker.removeHistory(channel, retain());
      await publisher.broker.removeHistory(channel, retain());
      expect((await read(channel)).top.offset).toBe(2);
    });
  });

  describeReads(underTest);
}

/** History ttl and meta ttl, in short times since an adapter may have to wait for real. */
function describeExpiry(underTest: () => BrokerUnderTest): void {
  const HISTORY_TTL_MS = 2_000;
  const META_TTL_MS = 4_000;
  const read = (channel: string, retention: Retention) =>
    underTest().reader.broker.history(channel, { retention, limit: -1 });

  describe('retention by time', () => {
    it('keeps all while publications come faster than the ttl, then drops all at once and goes on counting', async () => {
      const { publisher, setup, expirySlackMs } = underTest();
      const channel = freshChannel();
      const retention = retain({ historyTtlMs: HISTORY_TTL_MS });
      for (const text of ['a', 'b', 'c']) {
        await publishTexts(publisher, channel, [text], retention);
        await setup.elapse(0.7 * HISTORY_TTL_MS);
      }
      const before = await read(channel, retention);
      expect(before.publications.map(textAt)).toEqual(['a@1', 'b@2', 'c@3']);
      await setup.elapse(0.4 * HISTORY_TTL_MS + expirySlackMs);
      expect(await read(channel, retention)).toEqual({ publications: [], top: before.top });
      expect(await publishTexts(publisher, channel, ['d'], retention)).toEqual([4]);
      const after = await read(channel, retention);
      expect(after.publications.map(textAt)).toEqual(['d@4']);
      expect(after.top.epoch).toBe(before.top.epoch);
    }, 30_000);

    it('forgets epoch and offset after the meta ttl of silence', async () => {
      const { publisher, setup, expirySlackMs } = underTest();
      const channel = freshChannel();
      const retention = retain({ historyTtlMs: HISTORY_TTL_MS, historyMetaTtlMs: META_TTL_MS });
      await publishTexts(publisher, channel, ['a', 'b'], retention);
      const before = await read(channel, retention);
      await setup.elapse(META_TTL_MS + expirySlackMs);
      const { position } = await publisher.broker.publish({ channel, data: bytes('c'), retention });
      expect(position.offset).toBe(1);
      expect(position.epoch).not.toBe(before.top.epoch);
      expect((await read(channel, retention)).publications.map(textAt)).toEqual(['c@1']);
    }, 30_000);

    it('keeps epoch and offset beyond the meta ttl while somebody reads', async () => {
      const { publisher, setup } = underTest();
      const channel = freshChannel();
      const retention = retain({ historyTtlMs: HISTORY_TTL_MS, historyMetaTtlMs: META_TTL_MS });
      await publishTexts(publisher, channel, ['a', 'b'], retention);
      const before = await read(channel, retention);
      for (let turn = 0; turn < 3; turn += 1) {
        await setup.elapse(0.6 * META_TTL_MS);
        expect((await read(channel, retention)).top).toEqual(before.top);
      }
    }, 30_000);

    it('tells the receiver of a joined channel that its stream began anew with the first publication, not before', async () => {
      const { publisher, reader, setup, expirySlackMs } = underTest();
      const channel = freshChannel();
      const retention = retain({ historyTtlMs: HISTORY_TTL_MS, historyMetaTtlMs: META_TTL_MS });
      await reader.broker.join(channel, { retention });
      await publishTexts(publisher, channel, ['a', 'b'], retention);
      await eventually(() => expect(reader.received.log(channel)).toEqual(['a@1', 'b@2']));
      await setup.elapse(META_TTL_MS + expirySlackMs);
      expect((await reader.broker.history(channel, { retention, limit: 0 })).top.offset).toBe(0);
      expect(reader.received.log(channel)).toEqual(['a@1', 'b@2']);
      await publishTexts(publisher, channel, ['c'], retention);
      await eventually(() => expect(reader.received.log(channel)).toEqual(['a@1', 'b@2', 'c@1']));
      expect(new Set(reader.received.lives(channel).map(({ epoch }) => epoch)).size).toBe(2);
      await reader.broker.part(channel);
    }, 30_000);
  });
}

/** Limit, since, reverse (client-protocol §4.3, server-api §7.8). */
function describeReads(underTest: () => BrokerUnderTest): void {
  const withFive = async (): Promise<{
    epoch: string;
    texts: (request: Partial<HistoryRequest>) => Promise<string[]>;
  }> => {
    const { publisher, reader } = underTest();
    const channel = freshChannel();
    const retention = retain({ historySize: 3 });
    await publishTexts(publisher, channel, ['a', 'b', 'c', 'd', 'e'], retention);
    const read = (request: Partial<HistoryRequest>) =>
      reader.broker.history(channel, { retention, limit: -1, ...request });
    const { top } = await read({ limit: 0 });
    expect(top.offset).toBe(5);
    return { epoch: top.epoch, texts: async (request) => (await read(request)).publications.map(textAt) };
  };

  describe('reads', () => {
    it('gives the position only with limit 0', async () => {
      const { texts } = await withFive();
      expect(await texts({ limit: 0 })).toEqual([]);
    });

    it('gives the oldest retained first, at most as many as the limit says', async () => {
      const { texts } = await withFive();
      expect(await texts({ limit: 2 })).toEqual(['c@3', 'd@4']);
      expect(await texts({ limit: 100 })).toEqual(['c@3', 'd@4', 'e@5']);
      expect(await texts({ limit: -1 })).toEqual(['c@3', 'd@4', 'e@5']);
    });

    it('gives what came after a position', async () => {
      const { epoch, texts } = await withFive();
      expect(await texts({ since: { offset: 3, epoch } })).toEqual(['d@4', 'e@5']);
      expect(await texts({ since: { offset: 3, epoch }, limit: 1 })).toEqual(['d@4']);
    });

    it('gives what is left after a position that is older than the oldest retained', async () => {
      const { epoch, texts } = await withFive();
      expect(await texts({ since: { offset: 0, epoch } })).toEqual(['c@3', 'd@4', 'e@5']);
      expect(await texts({ since: { offset: 1, epoch }, limit: 2 })).toEqual(['c@3', 'd@4']);
    });

    it('gives nothing after the top and beyond', async () => {
      const { epoch, texts } = await withFive();
      expect(await texts({ since: { offset: 5, epoch } })).toEqual([]);
      expect(await texts({ since: { offset: 50, epoch } })).toEqual([]);
    });

    it('refuses a position of another epoch, and compares no empty one', async () => {
      const { texts } = await withFive();
      await expect(texts({ since: { offset: 3, epoch: 'elsewhere' } })).rejects.toMatchObject({
        name: 'BrokerError',
        code: 'unrecoverable',
      });
      await expect(texts({ since: { offset: 3, epoch: 'elsewhere' }, limit: 0 })).rejects.toMatchObject({
        code: 'unrecoverable',
      });
      expect(await texts({ since: { offset: 3, epoch: '' } })).toEqual(['d@4', 'e@5']);
    });

    it('gives the newest first in reverse', async () => {
      const { texts } = await withFive();
      expect(await texts({ reverse: true })).toEqual(['e@5', 'd@4', 'c@3']);
      expect(await texts({ reverse: true, limit: 2 })).toEqual(['e@5', 'd@4']);
    });

    it('gives what came before a position in reverse', async () => {
      const { epoch, texts } = await withFive();
      expect(await texts({ reverse: true, since: { offset: 5, epoch } })).toEqual(['d@4', 'c@3']);
      expect(await texts({ reverse: true, since: { offset: 5, epoch }, limit: 1 })).toEqual(['d@4']);
      expect(await texts({ reverse: true, since: { offset: 3, epoch } })).toEqual([]);
      expect(await texts({ reverse: true, since: { offset: 1, epoch } })).toEqual([]);
    });

    it('gives everything in reverse from just above the top, and nothing from further up', async () => {
      const { epoch, texts } = await withFive();
      expect(await texts({ reverse: true, since: { offset: 6, epoch } })).toEqual(['e@5', 'd@4', 'c@3']);
      expect(await texts({ reverse: true, since: { offset: 7, epoch } })).toEqual([]);
    });

    it('refuses to read in reverse since offset 0', async () => {
      const { epoch, texts } = await withFive();
      await expect(texts({ reverse: true, since: { offset: 0, epoch } })).rejects.toMatchObject({
        name: 'BrokerError',
        code: 'bad_request',
      });
    });

    it('refuses a position of another epoch on a channel that has none yet', async () => {
      const { reader } = underTest();
      const since = { offset: 3, epoch: 'elsewhere' };
      await expect(
        reader.broker.history(freshChannel(), { retention: retain(), limit: 10, since }),
      ).rejects.toMatchObject({ code: 'unrecoverable' });
    });
  });
}

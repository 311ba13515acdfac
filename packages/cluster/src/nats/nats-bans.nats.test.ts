import { startNats, type TestNats } from '@carillon/dev-tools/test-nats';
import { createSilentLog, systemClock } from '@carillon/service-kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Ban } from '../ban-list.ts';
import type { BanStore } from '../bans.ts';
import { bansContract } from '../contract/bans.contract.ts';
import { eventually } from '../contract/eventually.ts';
import { connectNats, type NatsLink } from './nats-connection.ts';
import { createNatsBans } from './nats-bans.ts';

const log = createSilentLog();
const clock = systemClock;
const nowS = (): number => Date.now() / 1000;
let numClusters = 0;

interface Member {
  readonly link: NatsLink;
  readonly bans: BanStore;
}

async function join(
  url: string,
  prefix: string,
  options: { maxBans?: number; checkMs?: number } = {},
): Promise<Member> {
  const link = await connectNats({ url, prefix, log });
  return { link, bans: await createNatsBans({ link, clock, log, ...options }) };
}

async function leave({ bans, link }: Member): Promise<void> {
  await bans.close();
  await link.close();
}

function freshPrefix(): string {
  numClusters += 1;
  return `bans-${process.pid}-${Date.now().toString(36)}-${numClusters}`;
}

bansContract('NATS, three nodes', async () => {
  const nats = await startNats();
  const prefix = freshPrefix();
  const members = [await join(nats.url, prefix), await join(nats.url, prefix), await join(nats.url, prefix)];
  return {
    nodes: members.map(({ bans }) => bans),
    now: () => Date.now(),
    close: async () => {
      await Promise.all(members.map(leave));
      await nats.stop();
    },
  };
});

describe('NATS bans', () => {
  let nats: TestNats;
  let prefix: string;
  const members: Member[] = [];
  const joinOne = async (options = {}): Promise<Member> => {
    const member = await join(nats.url, prefix, options);
    members.push(member);
    return member;
  };
  const block = (user: string, expireAt = 0): Ban => ({ kind: 'user', user, expireAt });
  const isBlocked = ({ bans }: Member, user: string): boolean => bans.current.isUserBlocked(user, nowS());

  beforeEach(async () => {
    nats = await startNats({ exclusive: true });
    prefix = freshPrefix();
  });

  afterEach(async () => {
    await Promise.all(members.splice(0).map(leave));
    await nats.stop();
  });

  it('a node that joins knows all bans, however many', async () => {
    const one = await joinOne();
    await Promise.all(Array.from({ length: 2_500 }, (_, index) => one.bans.put(block(`u${index}`))));
    await one.bans.remove({ kind: 'user', user: 'u7' });
    const late = await joinOne();
    expect(late.bans.current.size).toBe(2_499);
    expect([isBlocked(late, 'u2499'), isBlocked(late, 'u7')]).toEqual([true, false]);
  });

  it('bans outlive all nodes and a restart of NATS', async () => {
    const one = await joinOne();
    await one.bans.put(block('u'));
    await Promise.all(members.splice(0).map(leave));
    await nats.kill9();
    await nats.restart();
    expect(isBlocked(await joinOne(), 'u')).toBe(true);
  });

  it('bans count on while NATS is away, and what was missed counts when it is back', async () => {
    const [one, other] = [await joinOne(), await joinOne()];
    await one.bans.put(block('before'));
    await eventually(() => expect(isBlocked(other, 'before')).toBe(true));
    let reloads = 0;
    other.bans.watch({ onBan: () => undefined, onReloaded: () => (reloads += 1) });
    await nats.kill9();
    await eventually(() => expect(one.link.isConnected || other.link.isConnected).toBe(false));
    await expect(one.bans.put(block('during'))).rejects.toMatchObject({ name: 'OperationalError' });
    expect(isBlocked(other, 'before')).toBe(true);
    await nats.restart();
    await eventually(async () => {
      await one.bans.put(block('after'));
      expect(isBlocked(other, 'after')).toBe(true);
      expect(reloads).toBeGreaterThan(0);
    }, 15_000);
    expect(isBlocked(other, 'before')).toBe(true);
  });

  it('a ban is removed by a node that has not heard of it yet', async () => {
    const [one, other] = [await joinOne(), await joinOne({ checkMs: 60_000 })];
    const { main, subjects } = other.link;
    const stream = subjects.banStream();
    const info = JSON.parse((await main.request(`$JS.API.STREAM.INFO.${stream}`)).string());
    const { republish: _, ...config } = info.config;
    await main.request(`$JS.API.STREAM.UPDATE.${stream}`, JSON.stringify(config));
    await one.bans.put(block('u'));
    expect(isBlocked(other, 'u')).toBe(false);
    await other.bans.remove({ kind: 'user', user: 'u' });
    await eventually(() => expect(isBlocked(one, 'u')).toBe(false), 8_000);
  });

  it('a copy that never came is found by the next look', async () => {
    const [one, deaf] = [await joinOne(), await joinOne({ checkMs: 200 })];
    const { main, subjects } = one.link;
    // A record that no node hears of: its copies go elsewhere.
    const stream = subjects.banStream();
    const info = JSON.parse((await main.request(`$JS.API.STREAM.INFO.${stream}`)).string());
    const { republish: _, ...config } = info.config;
    await main.request(`$JS.API.STREAM.UPDATE.${stream}`, JSON.stringify(config));
    await one.bans.put(block('unheard'));
    await eventually(() => expect(isBlocked(deaf, 'unheard')).toBe(true), 8_000);
  });

  it('the record of a ban goes when the ban ends', async () => {
    const one = await joinOne();
    await one.bans.put(block('short', Math.floor(nowS()) + 2));
    await one.bans.put(block('long'));
    const stored = async (): Promise<number> => {
      const reply = await one.link.main.request(`$JS.API.STREAM.INFO.${one.link.subjects.banStream()}`);
      return JSON.parse(reply.string()).state.messages;
    };
    expect(await stored()).toBe(2);
    await eventually(async () => expect(await stored()).toBe(1));
    expect([isBlocked(one, 'short'), isBlocked(one, 'long')]).toEqual([false, true]);
    const late = await joinOne();
    expect(late.bans.current.size).toBe(1);
  });

  it('no more than the bound are taken, but what replaces an older one', async () => {
    const one = await joinOne({ maxBans: 2 });
    await one.bans.put(block('a'));
    await one.bans.put(block('b'));
    await expect(one.bans.put(block('c'))).rejects.toMatchObject({ code: 'bans_full' });
    await one.bans.put(block('b', Math.floor(nowS()) + 1_000));
    await one.bans.remove({ kind: 'user', user: 'a' });
    await one.bans.put(block('c'));
    expect([isBlocked(one, 'a'), isBlocked(one, 'c')]).toEqual([false, true]);
  });

  it('a stream that somebody deleted is made again by the next ban', async () => {
    const [one, other] = [await joinOne(), await joinOne()];
    await one.bans.put(block('lost'));
    await one.link.main.request(`$JS.API.STREAM.DELETE.${one.link.subjects.banStream()}`);
    await one.bans.put(block('new'));
    expect(isBlocked(one, 'new')).toBe(true);
    expect(isBlocked(await joinOne(), 'new')).toBe(true);
    expect(isBlocked(other, 'lost')).toBe(true);
  });
});

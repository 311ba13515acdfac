import { startNats, type TestNats } from '@carillon/dev-tools/test-nats';
import { createSilentLog, systemClock } from '@carillon/service-kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../contract/eventually.ts';
import { presenceContract } from '../contract/presence.contract.ts';
import { RecordingHandler } from '../contract/recording-handler.ts';
import type { Presence } from '../presence.ts';
import { connectNats, type NatsLink } from './nats-connection.ts';
import { createNatsControl, type NatsControl } from './nats-control.ts';
import { createNatsPresence } from './nats-presence.ts';

const log = createSilentLog();
const clock = systemClock;
const times = { heartbeatMs: 300, peerTimeoutMs: 700 };
const presenceTimes = { checkMs: 300, purgeDelayMs: 500, requestDeadlineMs: 3_000 };
/** What a loaded machine may add to any of them. */
const BUSY_MACHINE_MS = 3_000;
let numClusters = 0;

interface Member {
  readonly link: NatsLink;
  readonly control: NatsControl;
  readonly presence: Presence;
}

async function join(url: string, prefix: string): Promise<Member> {
  const link = await connectNats({ url, prefix, log });
  const node = { name: 'test', role: 'gateway', version: '1.0.0' } as const;
  const control = await createNatsControl({ link, clock, log, node, handler: new RecordingHandler(), ...times });
  const { registry, nodeId } = control;
  const presence = await createNatsPresence({ link, registry, nodeId, clock, log, ...presenceTimes });
  return { link, control, presence };
}

async function leave({ presence, control, link }: Member): Promise<void> {
  await presence.close();
  await control.close();
  await link.close();
}

/** As a killed process: it says nothing any more, and nobody tells the others. */
async function die({ link }: Member): Promise<void> {
  await link.main.close();
  await link.reads.close();
}

function freshPrefix(): string {
  numClusters += 1;
  return `presence-${process.pid}-${Date.now().toString(36)}-${numClusters}`;
}

presenceContract('NATS, three nodes', async () => {
  const nats = await startNats();
  const prefix = freshPrefix();
  const members = [await join(nats.url, prefix), await join(nats.url, prefix), await join(nats.url, prefix)];
  return {
    nodes: members.map(({ presence }) => presence),
    close: async () => {
      await Promise.all(members.map(leave));
      await nats.stop();
    },
  };
});

describe('NATS presence', () => {
  let nats: TestNats;
  let prefix: string;
  const members: Member[] = [];
  const joinOne = async (): Promise<Member> => {
    const member = await join(nats.url, prefix);
    members.push(member);
    return member;
  };
  const clients = async ({ presence }: Member, channel: string) => [...(await presence.members(channel)).keys()].sort();
  const storedSubjects = async ({ link }: Member, channel: string): Promise<number> => {
    const request = JSON.stringify({ subjects_filter: link.subjects.presenceOfChannel(channel) });
    const reply = await link.main.request(`$JS.API.STREAM.INFO.${link.subjects.presenceStream()}`, request);
    const info: { state: { subjects?: Record<string, number> } } = JSON.parse(reply.string());
    return Object.keys(info.state.subjects ?? {}).length;
  };
  const addMany = (member: Member, channel: string, count: number) =>
    Promise.all(
      Array.from({ length: count }, (_, index) =>
        member.presence.add(channel, { user: `u${index % 10}`, client: `client-${index}` }),
      ),
    );

  beforeEach(async () => {
    nats = await startNats({ exclusive: true });
    prefix = freshPrefix();
  });

  afterEach(async () => {
    await Promise.all(members.splice(0).map(leave));
    await nats.stop();
  });

  it('gives all of three thousand members', async () => {
    const [writer, reader] = [await joinOne(), await joinOne()];
    await addMany(writer, 'big', 3_000);
    expect((await reader.presence.members('big')).size).toBe(3_000);
    expect(await reader.presence.stats('big')).toEqual({ numClients: 3_000, numUsers: 10 });
    await writer.presence.remove('big', 'client-7');
    expect((await reader.presence.members('big')).size).toBe(2_999);
  });

  it('leaves nothing of removed entries in the stream', async () => {
    const one = await joinOne();
    await addMany(one, 'a', 20);
    expect(await storedSubjects(one, 'a')).toBe(20);
    await Promise.all(Array.from({ length: 20 }, (_, index) => one.presence.remove('a', `client-${index}`)));
    await eventually(async () => expect(await storedSubjects(one, 'a')).toBe(0));
  });

  it('drops the entries of a node that dies, and purges them', async () => {
    const [stays, dies] = [await joinOne(), await joinOne()];
    await addMany(dies, 'a', 5);
    await stays.presence.add('a', { user: 'u', client: 'mine' });
    expect(await clients(stays, 'a')).toHaveLength(6);
    const diedAt = performance.now();
    await die(dies);
    await eventually(async () => expect(await clients(stays, 'a')).toEqual(['mine']));
    expect(performance.now() - diedAt).toBeLessThan(times.peerTimeoutMs + BUSY_MACHINE_MS);
    await eventually(async () => expect(await storedSubjects(stays, 'a')).toBe(1));
  });

  it('purges what a node left that died when nobody was there to see it', async () => {
    const dies = await joinOne();
    await addMany(dies, 'a', 5);
    await die(dies);
    const late = await joinOne();
    await eventually(async () => expect(await clients(late, 'a')).toEqual([]));
    await eventually(async () => {
      await late.presence.members('a');
      expect(await storedSubjects(late, 'a')).toBe(0);
    });
  });

  it('takes its entries along when it leaves', async () => {
    const [stays, goes] = [await joinOne(), await joinOne()];
    await addMany(goes, 'a', 5);
    await goes.presence.close();
    expect(await clients(stays, 'a')).toEqual([]);
    expect(await storedSubjects(stays, 'a')).toBe(0);
  });

  it('announces its entries again after a restart of NATS', async () => {
    const [one, other] = [await joinOne(), await joinOne()];
    await addMany(one, 'a', 500);
    await other.presence.add('a', { user: 'u', client: 'other' });
    await nats.kill9();
    await nats.restart();
    await eventually(async () => {
      expect(await clients(one, 'a')).toHaveLength(501);
      expect(await clients(other, 'a')).toHaveLength(501);
    }, 15_000);
  });

  it('sees to removals that were asked for while NATS was away', async () => {
    const [one, other] = [await joinOne(), await joinOne()];
    await addMany(one, 'a', 3);
    await nats.kill9();
    await eventually(() => expect(one.link.isConnected).toBe(false));
    await one.presence.remove('a', 'client-1');
    await expect(one.presence.add('a', { user: 'u', client: 'late' })).rejects.toMatchObject({
      name: 'OperationalError',
    });
    await nats.restart();
    await eventually(async () => expect(await clients(other, 'a')).toEqual(['client-0', 'client-2']), 15_000);
  });

  it('announces its entries again when somebody has dropped them or the whole stream', async () => {
    const [one, other] = [await joinOne(), await joinOne()];
    await addMany(one, 'a', 3);
    await eventually(async () => {
      const sentinel = one.link.subjects.presence('', one.control.nodeId, '');
      const stream = one.link.subjects.presenceStream();
      const reply = await one.link.main.request(`$JS.API.DIRECT.GET.${stream}.${sentinel}`);
      expect(reply.data.length).toBeGreaterThan(0);
    });
    const { main, subjects } = other.link;
    const filter = subjects.presenceOfNode(one.control.nodeId);
    await main.request(`$JS.API.STREAM.PURGE.${subjects.presenceStream()}`, JSON.stringify({ filter }));
    expect(await clients(other, 'a')).toEqual([]);
    await eventually(async () => expect(await clients(other, 'a')).toHaveLength(3));
    await main.request(`$JS.API.STREAM.DELETE.${subjects.presenceStream()}`);
    await eventually(async () => expect(await clients(other, 'a')).toHaveLength(3));
  });

  it('writes on into a stream that went away between two writes', async () => {
    const [one, other] = [await joinOne(), await joinOne()];
    await addMany(one, 'a', 3);
    await one.link.main.request(`$JS.API.STREAM.DELETE.${one.link.subjects.presenceStream()}`);
    await one.presence.add('a', { user: 'u', client: 'new' });
    expect(await clients(other, 'a')).toEqual(['client-0', 'client-1', 'client-2', 'new']);
  });
});

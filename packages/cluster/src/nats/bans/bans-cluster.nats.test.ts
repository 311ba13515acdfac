import { startNatsCluster, type TestNatsCluster } from '@carillon/dev-tools/test-nats';
import { createSilentLog, systemClock as clock } from '@carillon/service-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BanStore } from '../../bans.ts';
import { bansContract } from '../../contract/bans.contract.ts';
import { eventually } from '../../contract/eventually.ts';
import { createNatsBans } from '../nats-bans.ts';
import { connectNats, type NatsLink } from '../nats-connection.ts';

const log = createSilentLog();

interface Member {
  readonly link: NatsLink;
  readonly bans: BanStore;
}

async function join(url: string, prefix: string): Promise<Member> {
  const link = await connectNats({ url, prefix, log, connectDeadlineMs: 30_000 });
  return { link, bans: await createNatsBans({ link, clock, log, replicas: 3 }) };
}

async function leave({ bans, link }: Member): Promise<void> {
  await bans.close();
  await link.close();
}

bansContract('NATS, three servers with three replicas', async () => {
  const nats = await startNatsCluster(3);
  const members: Member[] = [];
  for (const url of nats.urls) members.push(await join(url, 'contract'));
  return {
    nodes: members.map(({ bans }) => bans),
    now: () => Date.now(),
    close: async () => {
      await Promise.all(members.map(leave));
      await nats.stop();
    },
  };
});

describe('bans on three NATS servers', () => {
  let nats: TestNatsCluster;
  const members: Member[] = [];
  const isBlocked = ({ bans }: Member, user: string): boolean => bans.current.isUserBlocked(user, Date.now() / 1000);

  beforeAll(async () => {
    nats = await startNatsCluster(3);
    for (const url of nats.urls) members.push(await join(url, 'bans'));
  });

  afterAll(async () => {
    await Promise.all(members.map(leave));
    await nats?.stop();
  });

  it('no ban that was acknowledged is lost when servers are killed one after the other', async () => {
    const users: string[] = [];
    for (const [index, server] of nats.servers.entries()) {
      const writer = members[(index + 1) % 3]!;
      for (let count = 0; count < 20; count++) {
        await writer.bans.put({ kind: 'user', user: `u${index}-${count}`, expireAt: 0 });
        users.push(`u${index}-${count}`);
      }
      await server.kill9();
      await eventually(async () => {
        await writer.bans.put({ kind: 'user', user: `during-${index}`, expireAt: 0 });
      }, 40_000);
      users.push(`during-${index}`);
      await server.restart();
    }
    await eventually(() => {
      for (const member of members) expect(users.filter((user) => !isBlocked(member, user))).toEqual([]);
    }, 40_000);
    const late = await join(nats.urls[0]!, 'bans');
    members.push(late);
    expect(users.filter((user) => !isBlocked(late, user))).toEqual([]);
  }, 150_000);
});

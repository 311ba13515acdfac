import { startNats } from '@carillon/dev-tools/test-nats';
import { createSilentLog, systemClock } from '@carillon/service-kit';
import { describe, expect, it } from 'vitest';
import { userStatusContract } from '../contract/user-status.contract.ts';
import { connectNats, type NatsLink } from './nats-connection.ts';
import { NatsUserStatus } from './nats-user-status.ts';

const log = createSilentLog();
const clock = systemClock;
let numClusters = 0;

interface Member {
  readonly link: NatsLink;
  readonly store: NatsUserStatus;
}

async function join(url: string, prefix: string): Promise<Member> {
  const link = await connectNats({ url, prefix, log });
  return { link, store: new NatsUserStatus({ link, clock, log }) };
}

async function leave({ store, link }: Member): Promise<void> {
  await store.close();
  await link.close();
}

function freshPrefix(): string {
  numClusters += 1;
  return `status-${process.pid}-${Date.now().toString(36)}-${numClusters}`;
}

userStatusContract('NATS, two nodes', async () => {
  const nats = await startNats();
  const prefix = freshPrefix();
  const members = [await join(nats.url, prefix), await join(nats.url, prefix)];
  return {
    nodes: members.map(({ store }) => store),
    close: async () => {
      await Promise.all(members.map(leave));
      await nats.stop();
    },
  };
});

describe('user status on NATS', () => {
  it('outlives the node that wrote it', async () => {
    const nats = await startNats();
    const prefix = freshPrefix();
    const writer = await join(nats.url, prefix);
    await writer.store.put(['u'], { active: 7, state: 'x' });
    await leave(writer);
    const reader = await join(nats.url, prefix);
    expect(await reader.store.get(['u'])).toEqual(new Map([['u', { active: 7, state: 'x' }]]));
    await leave(reader);
    await nats.stop();
  });

  it('fails within the deadline while NATS is away, and after it was closed', async () => {
    const nats = await startNats();
    const member = await join(nats.url, freshPrefix());
    await member.store.close();
    await expect(member.store.put(['u'], { active: 1, state: '' })).rejects.toMatchObject({
      code: 'user_status_closed',
    });
    await member.link.close();
    await nats.stop();
  });
});

import { startNatsCluster, type TestNatsCluster } from '@carillon/dev-tools/test-nats';
import { createSilentLog, systemClock as clock } from '@carillon/service-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../contract/eventually.ts';
import { RecordingHandler } from '../../contract/recording-handler.ts';
import type { Presence } from '../../presence.ts';
import { connectNats, type NatsLink } from '../nats-connection.ts';
import { createNatsControl, type NatsControl } from '../nats-control.ts';
import { createNatsPresence } from '../nats-presence.ts';

const log = createSilentLog();

interface Member {
  readonly link: NatsLink;
  readonly control: NatsControl;
  readonly presence: Presence;
}

describe('NATS presence on three servers', () => {
  let nats: TestNatsCluster;
  const members: Member[] = [];

  const join = async (url: string): Promise<Member> => {
    const link = await connectNats({ url, prefix: 'cluster', log, connectDeadlineMs: 30_000 });
    const node = { name: 'test', role: 'gateway', version: '1.0.0' } as const;
    const control = await createNatsControl({ link, clock, log, node, handler: new RecordingHandler() });
    const { registry, nodeId } = control;
    const presence = await createNatsPresence({ link, registry, nodeId, clock, log, replicas: 3, checkMs: 1_000 });
    const member = { link, control, presence };
    members.push(member);
    return member;
  };
  const clients = async ({ presence }: Member) => [...(await presence.members('a')).keys()].sort();

  beforeAll(async () => {
    nats = await startNatsCluster(3);
    await join(nats.urls[0]!);
    await join(nats.urls[1]!);
  });

  afterAll(async () => {
    for (const { presence, control, link } of members) {
      await presence.close();
      await control.close();
      await link.close();
    }
    await nats?.stop();
  });

  it('loses nobody when a server is killed, and gives no living node up', async () => {
    const [one, other] = [members[0]!, members[1]!];
    for (const client of ['c1', 'c2', 'c3']) await one.presence.add('a', { user: 'u', client });
    await eventually(async () => expect(await clients(other)).toEqual(['c1', 'c2', 'c3']));
    await nats.servers[0]!.kill9();
    await eventually(async () => {
      await one.presence.add('a', { user: 'u', client: 'c4' });
      expect(await clients(other)).toEqual(['c1', 'c2', 'c3', 'c4']);
    }, 30_000);
    expect(other.control.nodes()).toHaveLength(2);
    await nats.servers[0]!.restart();
    await eventually(async () => {
      expect(await clients(one)).toEqual(['c1', 'c2', 'c3', 'c4']);
      expect(await clients(other)).toEqual(['c1', 'c2', 'c3', 'c4']);
    }, 30_000);
  }, 90_000);
});

import { startNats, type TestNats } from '@carillon/dev-tools/test-nats';
import { createSilentLog, systemClock } from '@carillon/service-kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { controlContract } from '../contract/control.contract.ts';
import { eventually } from '../contract/eventually.ts';
import { RecordingHandler } from '../contract/recording-handler.ts';
import type { NodeRole } from '../control.ts';
import { connectNats, type NatsLink } from './nats-connection.ts';
import { createNatsControl, type NatsControl } from './nats-control.ts';

const log = createSilentLog();
const clock = systemClock;
/** Short, so that nobody waits seven seconds; the proportions are those of the specification. */
const times = { heartbeatMs: 300, peerTimeoutMs: 700 };
/** What a loaded machine may add to any of them. */
const BUSY_MACHINE_MS = 3_000;
let numClusters = 0;

interface Member {
  readonly link: NatsLink;
  readonly control: NatsControl;
  readonly handler: RecordingHandler;
}

async function join(url: string, prefix: string, role: NodeRole = 'gateway', isQuick = true): Promise<Member> {
  const link = await connectNats({ url, prefix, log });
  const handler = new RecordingHandler();
  const node = { name: 'test', role, version: '1.0.0' };
  const control = await createNatsControl({ link, clock, log, node, handler, ...(isQuick ? times : {}) });
  return { link, handler, control };
}

async function leave({ control, link }: Member): Promise<void> {
  await control.close();
  await link.close();
}

function freshPrefix(): string {
  numClusters += 1;
  return `control-${process.pid}-${Date.now().toString(36)}-${numClusters}`;
}

controlContract('NATS, three nodes', async () => {
  const nats = await startNats();
  const prefix = freshPrefix();
  const members = [await join(nats.url, prefix), await join(nats.url, prefix), await join(nats.url, prefix)];
  return {
    nodes: members,
    close: async () => {
      await Promise.all(members.map(leave));
      await nats.stop();
    },
  };
});

describe('NATS control', () => {
  let nats: TestNats;
  let prefix: string;
  const members: Member[] = [];
  const joinAs = async (role?: NodeRole): Promise<Member> => {
    const member = await join(nats.url, prefix, role);
    members.push(member);
    return member;
  };
  const idsSeenBy = ({ control }: Member) => control.nodes().map(({ id }) => id);

  beforeEach(async () => {
    nats = await startNats({ exclusive: true });
    prefix = freshPrefix();
  });

  afterEach(async () => {
    await Promise.all(members.splice(0).map(leave));
    await nats.stop();
  });

  it('knows all who are there when it has started', async () => {
    const before = await Promise.all([joinAs(), joinAs('api'), joinAs('auth-policy')]);
    const late = await joinAs();
    expect(idsSeenBy(late)).toEqual([...before, late].map(({ control }) => control.nodeId).sort());
  });

  it('keeps clusters of another prefix apart', async () => {
    const ours = await joinAs();
    const theirs = await join(nats.url, freshPrefix());
    members.push(theirs);
    await theirs.control.broadcast({ kind: 'rules_changed' });
    expect(idsSeenBy(theirs)).toEqual([theirs.control.nodeId]);
    expect(idsSeenBy(ours)).toEqual([ours.control.nodeId]);
    expect(ours.handler.applied).toEqual([]);
  });

  it('forgets a node that leaves at once', async () => {
    const stays = await join(nats.url, prefix, 'gateway', false);
    const goes = await join(nats.url, prefix, 'gateway', false);
    members.push(stays, goes);
    expect(idsSeenBy(stays)).toHaveLength(2);
    const leftAt = performance.now();
    await goes.control.close();
    await eventually(() => expect(idsSeenBy(stays)).toEqual([stays.control.nodeId]));
    expect(performance.now() - leftAt).toBeLessThan(BUSY_MACHINE_MS);
  });

  it('forgets a node that falls silent, not before its time', async () => {
    const [stays, dies] = [await joinAs(), await joinAs()];
    const diedAt = performance.now();
    await dies.link.main.close();
    await eventually(() => expect(idsSeenBy(stays)).toEqual([stays.control.nodeId]));
    const silentMs = performance.now() - diedAt;
    expect(silentMs).toBeGreaterThan(times.peerTimeoutMs - times.heartbeatMs);
    expect(silentMs).toBeLessThan(times.peerTimeoutMs + BUSY_MACHINE_MS);
  });

  it('asks gateways and standalone nodes only', async () => {
    const api = await joinAs('api');
    const gateway = await joinAs('gateway');
    await joinAs('auth-policy');
    gateway.handler.onAnswer = async () => ({ kind: 'channels', channels: new Map([['a', 1]]) });
    const { answers, missing } = await api.control.survey({ kind: 'channels', pattern: '' }, 2_000);
    expect(missing).toEqual([]);
    expect(answers).toEqual([{ kind: 'channels', channels: new Map([['a', 1]]) }]);
  });

  it('names a node that does not answer within the deadline', async () => {
    const [asker, silent] = [await joinAs(), await joinAs()];
    silent.handler.onAnswer = () => new Promise(() => undefined);
    const { missing } = await asker.control.survey({ kind: 'channels', pattern: '' }, 200);
    expect(missing).toEqual([silent.control.nodeId]);
  });

  it('fails an emulation that is not done within the deadline', async () => {
    const [asker, silent] = [await joinAs(), await joinAs()];
    silent.handler.onEmulate = () => new Promise(() => undefined);
    const request = { node: silent.control.nodeId, session: 's', frame: new Uint8Array(1) };
    await expect(asker.control.emulate(request, 200)).rejects.toMatchObject({ code: 'nats_timeout' });
  });

  it('says at once that a node which has gone is unknown, before the registry gives it up', async () => {
    const [asker, goes] = [await joinAs(), await joinAs()];
    const request = { node: goes.control.nodeId, session: 's', frame: new Uint8Array(1) };
    await goes.link.main.close();
    // A request may still be handed to the connection that closes; the server knows soon.
    await eventually(async () => expect(await asker.control.emulate(request, 50)).toBe('unknown_node'));
    expect(idsSeenBy(asker)).toHaveLength(2);
  });

  it('passes over what it can not read', async () => {
    const [sender, receiver] = [await joinAs(), await joinAs()];
    const { main, subjects } = sender.link;
    for (const text of ['', 'x', '{}', '\0\0\0\u0002{}', '\0\0\0\u0004null', '\u007f\u007f\u007f\u007f']) {
      main.publish(subjects.controlAll(), text);
      main.publish(subjects.nodeSubjects().replace('*', 'x'), text);
    }
    await sender.control.broadcast({ kind: 'rules_changed' });
    await eventually(() => expect(receiver.handler.applied).toEqual([{ kind: 'rules_changed' }]));
  });

  it('gives nobody up while NATS is away, and says that it can not serve', async () => {
    const [one, other] = [await joinAs(), await joinAs()];
    await nats.kill9();
    await eventually(() => expect(one.control.unavailable()).toBeDefined());
    await expect(one.control.broadcast({ kind: 'rules_changed' })).rejects.toMatchObject({ name: 'OperationalError' });
    expect(one.handler.applied).toEqual([{ kind: 'rules_changed' }]);
    await new Promise((resolve) => {
      setTimeout(resolve, 2 * times.peerTimeoutMs);
    });
    expect(idsSeenBy(one)).toHaveLength(2);
    await nats.restart();
    // Commands are not kept for who is away (channels-and-config §2.7), so both have to be back.
    for (const { control } of [one, other]) await eventually(() => expect(control.unavailable()).toBeUndefined());
    await one.control.broadcast({ kind: 'rules_changed' });
    await eventually(() => expect(other.handler.applied).toHaveLength(1));
    expect(idsSeenBy(one)).toHaveLength(2);
    expect(idsSeenBy(other)).toHaveLength(2);
  });

  it('names the nodes that fail or are silent, within the deadline, and reaches the others', async () => {
    const [asker, good, bad, silent] = [await joinAs('api'), await joinAs(), await joinAs(), await joinAs()];
    good.handler.onApply = async () => 2;
    bad.handler.onApply = () => Promise.reject(new Error('as the test says'));
    silent.handler.onApply = () => new Promise(() => undefined);
    const startedAt = performance.now();
    const reach = await asker.control.command({ kind: 'rules_changed' }, 400);
    expect(performance.now() - startedAt).toBeLessThan(400 + BUSY_MACHINE_MS);
    expect(reach.sessions).toBe(2);
    expect(reach.reached).toEqual([good.control.nodeId]);
    expect([...reach.missing].sort()).toEqual([bad.control.nodeId, silent.control.nodeId].sort());
  });

  it('waits for gateways alone, and needs none', async () => {
    const asker = await joinAs('api');
    await joinAs('api');
    await joinAs('auth-policy');
    expect(await asker.control.command({ kind: 'rules_changed' }, 1_000)).toEqual({
      sessions: 0,
      reached: [],
      missing: [],
    });
  });

  it('waits no longer for a node that leaves', async () => {
    const [asker, leaving] = [await joinAs('api'), await joinAs()];
    leaving.handler.onApply = () => new Promise(() => undefined);
    const startedAt = performance.now();
    const commanding = asker.control.command({ kind: 'rules_changed' }, 20_000);
    await eventually(() => expect(leaving.handler.applied).toHaveLength(1));
    await leaving.control.close();
    expect(await commanding).toEqual({ sessions: 0, reached: [], missing: [] });
    expect(performance.now() - startedAt).toBeLessThan(BUSY_MACHINE_MS);
  });

  it('fails a command at once while NATS is away, and applies it here', async () => {
    const [one] = [await joinAs(), await joinAs()];
    await nats.kill9();
    await eventually(() => expect(one.link.isConnected).toBe(false));
    await expect(one.control.command({ kind: 'rules_changed' }, 2_000)).rejects.toMatchObject({
      name: 'OperationalError',
    });
    expect(one.handler.applied).toHaveLength(1);
  });

  it('refuses a command that is larger than a message may be', async () => {
    const one = await joinAs();
    const data = new Uint8Array(2_000_000);
    const command = { kind: 'subscribe', select: { user: 'u' }, channel: 'a', expireAt: 0, data } as const;
    await joinAs();
    for (const giving of [one.control.broadcast(command), one.control.command(command, 2_000)]) {
      await expect(giving).rejects.toMatchObject({ code: 'control_publish', retriable: false });
    }
  });
});

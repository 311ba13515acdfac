import { createSilentLog, FakeClock } from '@carillon/service-kit';
import type { Msg, MsgCallback, Subscription, SubscriptionOptions } from '@nats-io/nats-core';
import { beforeEach, describe, expect, it } from 'vitest';
import { createNatsSubjects } from '../nats-subjects.ts';
import { encodeNodeRecord } from './node-record.ts';
import { NodeRegistry, type RegistryLink } from './node-registry.ts';

const subjects = createNatsSubjects({ prefix: 'c' });
const nothing = { role: 'gateway', name: '', version: '', startedAt: 0 } as const;
const stats = { numClients: 0, numUsers: 0, numChannels: 0, numSubs: 0 };
const record = (id: string) => ({ ...nothing, ...stats, id });

/** Echoes what is published, as a server would, while it is not cut off. */
class EchoLink implements RegistryLink {
  readonly subjects = subjects;
  isConnected = true;
  /** Takes messages without a word of them arriving anywhere. */
  isDeaf = false;
  readonly sent: { subject: string; reply: string }[] = [];
  readonly #callbacks: MsgCallback<Msg>[] = [];
  readonly main = {
    subscribe: (_subject: string, options?: SubscriptionOptions): Subscription => {
      if (options?.callback !== undefined) this.#callbacks.push(options.callback);
      return { unsubscribe: () => undefined } as Subscription;
    },
  };

  onReconnect(): () => void {
    return () => undefined;
  }

  publish(subject: string, payload: Uint8Array, options?: { reply?: string }): void {
    this.sent.push({ subject, reply: options?.reply ?? '' });
    if (!this.isDeaf) this.deliver(subject, payload);
  }

  deliver(subject: string, data: Uint8Array, reply = ''): void {
    void this.#callbacks[0]?.(null, { subject, data, reply } as Msg);
  }
}

describe('node registry', () => {
  let clock: FakeClock;
  let link: EchoLink;
  let registry: NodeRegistry;
  let events: string[];

  beforeEach(async () => {
    clock = new FakeClock();
    link = new EchoLink();
    const log = createSilentLog();
    registry = new NodeRegistry({ link, clock, log, nodeId: 'self', describeSelf: () => record('self') });
    events = [];
    registry.watch({ onGone: (id) => events.push(`gone ${id}`), onReturned: () => events.push('returned') });
    const starting = registry.start();
    await clock.advance(300);
    await starting;
  });

  const hear = (id: string): void => link.deliver(subjects.node(id), encodeNodeRecord(record(id)));
  const wait = async (ms: number, heard: readonly string[] = []): Promise<void> => {
    for (let left = ms; left > 0; left -= 1_000) {
      await clock.advance(Math.min(left, 1_000));
      for (const id of heard) hear(id);
    }
  };

  it('sends a heartbeat every three seconds', async () => {
    link.sent.length = 0;
    await wait(30_000);
    expect(link.sent).toHaveLength(10);
  });

  it('gives a peer up after more than seven seconds of silence, not sooner', async () => {
    hear('peer');
    await wait(6_900);
    expect(registry.isAlive('peer')).toBe(true);
    await wait(2_000);
    expect(registry.isAlive('peer')).toBe(false);
    expect(registry.peers()).toEqual([]);
    expect(events).toEqual(['gone peer']);
  });

  it('keeps a peer that is heard', async () => {
    await wait(60_000, ['peer']);
    expect(registry.isAlive('peer')).toBe(true);
    expect(events).toEqual([]);
  });

  it('forgets a peer that leaves at once', () => {
    hear('peer');
    link.deliver(subjects.node('peer'), new Uint8Array(0));
    expect(registry.isAlive('peer')).toBe(false);
    expect(events).toEqual(['gone peer']);
  });

  // invariant: nobody is given up by a node that does not hear itself.
  it('gives nobody up while it does not hear itself, and says when it is back', async () => {
    hear('peer');
    link.isDeaf = true;
    await wait(60_000);
    expect(registry.isAlive('peer')).toBe(true);
    expect(registry.isConnected).toBe(false);
    link.isDeaf = false;
    await wait(3_000);
    expect(registry.isConnected).toBe(true);
    expect(events).toEqual(['returned']);
    await wait(6_000);
    expect(registry.isAlive('peer')).toBe(true);
    await wait(3_000);
    expect(events).toEqual(['returned', 'gone peer']);
  });

  it('makes nothing of one heartbeat that is lost', async () => {
    await wait(9_000);
    link.isDeaf = true;
    await wait(3_000);
    link.isDeaf = false;
    await wait(9_000);
    expect(events).toEqual([]);
  });

  it('tells a node that asks who it is', () => {
    link.sent.length = 0;
    link.deliver(subjects.node('new'), encodeNodeRecord(record('new')), 'inbox.of.new');
    expect(link.sent).toEqual([{ subject: 'inbox.of.new', reply: '' }]);
  });

  it('is always alive itself, is silent after it has left, and leaves no timer', async () => {
    expect(registry.isAlive('self')).toBe(true);
    registry.close();
    registry.close();
    link.sent.length = 0;
    await wait(10_000);
    expect(link.sent).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });
});

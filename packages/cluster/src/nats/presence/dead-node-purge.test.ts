import { createSilentLog, FakeClock } from '@carillon/service-kit';
import { beforeEach, describe, expect, it } from 'vitest';
import type { NodeRecord } from '../../control.ts';
import { createNatsSubjects } from '../nats-subjects.ts';
import { DeadNodePurge } from './dead-node-purge.ts';

const subjects = createNatsSubjects({ prefix: 'c' });
const DELAY_MS = 10_000;

describe('purge of dead nodes', () => {
  let clock: FakeClock;
  let purges: string[];
  let lastSequence: number;
  let alive: NodeRecord[];
  let isConnected: boolean;

  beforeEach(() => {
    clock = new FakeClock();
    purges = [];
    lastSequence = 7;
    alive = [];
    isConnected = true;
  });

  const create = (nodeId: string): DeadNodePurge =>
    new DeadNodePurge({
      store: {
        lastSequence: async () => lastSequence,
        purge: async (filter, upTo) => void purges.push(`${filter} ${upTo}`),
      },
      registry: {
        peers: () => alive,
        isAlive: (id) => alive.some((peer) => peer.id === id),
        get isConnected() {
          return isConnected;
        },
      },
      subjects,
      nodeId,
      clock,
      log: createSilentLog(),
      delayMs: DELAY_MS,
    });
  const peer = (id: string, role: NodeRecord['role'] = 'gateway'): NodeRecord => {
    const stats = { numClients: 0, numUsers: 0, numChannels: 0, numSubs: 0 };
    return { id, role, name: '', version: '', startedAt: 0, ...stats };
  };

  it('is done once, after the delay, as far as the stream went when the node was missed', async () => {
    const purge = create('a');
    purge.onGone('dead');
    purge.onGone('dead');
    await clock.advance(DELAY_MS - 1);
    lastSequence = 99;
    expect(purges).toEqual([]);
    await clock.advance(1);
    expect(purges).toEqual([`${subjects.presenceOfNode('dead')} 7`]);
  });

  it('is left to the survivor with the lowest id that keeps presence', async () => {
    alive = [peer('a', 'auth-policy'), peer('b'), peer('c')];
    create('c').onGone('dead');
    await clock.advance(DELAY_MS);
    expect(purges).toEqual([]);
    alive = [peer('a', 'auth-policy'), peer('c')];
    create('b').onGone('dead');
    await clock.advance(DELAY_MS);
    expect(purges).toHaveLength(1);
  });

  it('is not done to a node that came back, nor by one that is cut off', async () => {
    const purge = create('a');
    purge.onGone('back');
    purge.onGone('dead');
    alive = [peer('back')];
    isConnected = false;
    await clock.advance(DELAY_MS);
    expect(purges).toEqual([]);
    isConnected = true;
    purge.purgeSoon('dead');
    await clock.advance(DELAY_MS);
    expect(purges).toHaveLength(1);
  });

  it('is not done any more after it was closed', async () => {
    const purge = create('a');
    purge.onGone('dead');
    purge.close();
    expect(clock.pendingTimers).toBe(0);
    purge.purgeSoon('dead');
    expect(clock.pendingTimers).toBe(0);
  });
});

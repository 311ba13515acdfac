import { memoryEngine } from '@carillon/cluster/memory';
import { FakeClock } from '@carillon/service-kit';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { FakeConnection } from '../fixture/fake-connection.ts';
import { startSessions, type RunningSessions } from '../fixture/start-sessions.ts';
import { LEAVE_WAIT_MS } from './left-presence.ts';

const CHANNEL = 'a';
const API_DEADLINE_MS = 2 * LEAVE_WAIT_MS;

let clock: FakeClock;
let node: RunningSessions;
let client: FakeConnection;
/** Of the entry in presence that the client leaves: settled by the test. */
let removal: PromiseWithResolvers<void>;
let outage: string | undefined;

beforeEach(async () => {
  clock = new FakeClock(1_800_000_000_000);
  removal = Promise.withResolvers();
  outage = undefined;
  const identity = { name: 'n', role: 'standalone', version: '1' } as const;
  const create = memoryEngine({ clock, node: identity });
  node = await startSessions(
    async (parts) => {
      const engine = await create(parts);
      engine.presence.remove = () => removal.promise;
      engine.broker.unavailable = () => outage;
      return engine;
    },
    clock,
    { channel: { without_namespace: { presence: true, allow_subscribe_for_client: true } } },
  );
  client = node.open();
  await client.connect({ user: 'u' });
  await client.subscribe(CHANNEL);
});
afterEach(() => node.close());

const unsubscribe = () => client.command({ unsubscribe: { channel: CHANNEL } });
const replies = () => client.received.map(({ id }) => id).filter((id) => id !== undefined);

it('who unsubscribes is answered when nobody can see it in presence any more', async () => {
  expect(await unsubscribe()).toBeUndefined();
  removal.resolve();
  expect(await client.command({ presence_stats: { channel: CHANNEL } })).toMatchObject({ error: {} });
  expect(replies()).toEqual([1, 2, 3, 4]);
});

it('what is said after an unsubscribe is answered after it', async () => {
  client.say({ unsubscribe: { channel: CHANNEL } });
  expect(await client.command({ history: { channel: CHANNEL } })).toBeUndefined();
  removal.resolve();
  await client.command({ history: { channel: CHANNEL } });
  expect(replies()).toEqual([1, 2, 3, 4, 5]);
});

it('presence that can not be written holds an unsubscribe back for a second', async () => {
  client.say({ unsubscribe: { channel: CHANNEL } });
  await clock.advance(LEAVE_WAIT_MS - 1);
  expect(replies()).toEqual([1, 2]);
  await clock.advance(1);
  expect(replies()).toEqual([1, 2, 3]);
});

it('presence that can not be written in an outage holds nothing back', async () => {
  outage = 'NATS is away';
  expect(await unsubscribe()).toEqual({ id: 3, unsubscribe: {} });
});

it('an unsubscribe of the server API is done when nobody can see the client in presence any more', async () => {
  const select = { user: 'u', client: undefined, session: undefined };
  let isDone = false;
  const command = { kind: 'unsubscribe', select, channel: CHANNEL, code: 2_000, reason: 'by the server' } as const;
  const done = node.engine.control.command(command, API_DEADLINE_MS).then(() => (isDone = true));
  await clock.advance(LEAVE_WAIT_MS / 2);
  expect(client.received.at(-1)?.push).toMatchObject({ channel: CHANNEL, unsubscribe: { code: 2_000 } });
  expect(isDone).toBe(false);
  removal.resolve();
  await done;
});

import { BanList, type Ban, type BanListener } from '@carillon/cluster';
import { NO_CAPABILITIES } from '@carillon/policy';
import { jsonCodec } from '@carillon/protocol/client';
import { FakeClock } from '@carillon/service-kit';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Socket } from '../edge/socket.ts';
import { Session } from '../session/session.ts';
import { createSessionTable, type SessionTable } from '../session/session-table.ts';
import { createSweepBans } from './sweep-bans.ts';

const SOCKET: Socket = {
  traits: {
    name: 'websocket',
    encoding: 'json',
    form: 'json',
    unidirectional: false,
    emulated: false,
    applicationPing: false,
    topics: false,
  },
  request: { headers: new Map(), remoteAddress: '' },
  send: () => undefined,
  batch: (write) => write(),
  subscribe: () => undefined,
  unsubscribe: () => undefined,
  close: () => undefined,
  drop: () => undefined,
};

describe('the sweep', () => {
  let clock: FakeClock;
  let sessions: SessionTable;
  let list: BanList;
  let listener: BanListener | undefined;
  let ended: string[];
  let stop: () => void;

  beforeEach(() => {
    clock = new FakeClock(1_800_000_000_000);
    sessions = createSessionTable();
    list = new BanList();
    ended = [];
    stop = createSweepBans({
      bans: {
        current: list,
        watch: (watching) => {
          listener = watching;
          return () => {
            listener = undefined;
          };
        },
      },
      sessions,
      close: {
        disconnect: (session, { code }) => {
          ended.push(`${session.id} ${code}`);
          session.transition('closed');
          sessions.remove(session);
        },
        gone: () => undefined,
      },
      unsubscribe: () => undefined,
      clock,
    });
  });

  const add = (id: string, user: string, tokenId: string): void => {
    const hooks = { onInsufficientState: () => undefined, onInappropriatePayload: () => undefined };
    const session = new Session({ id, sessionId: `s${id}`, socket: SOCKET, codec: jsonCodec, connectedAt: 0, hooks });
    session.identity = {
      user,
      source: 'token',
      expireAt: 0,
      info: undefined,
      meta: undefined,
      capabilities: NO_CAPABILITIES,
      tokenId,
      issuedAt: 0,
    };
    sessions.add(session);
    sessions.identify(session);
  };
  const ban = (one: Ban): void => {
    list.put(one);
    listener?.onBan(one);
  };
  // invariant: no turn does more than a bounded part of the work, however many sessions there are.
  it('ends ten thousand sessions of a user a hundred a turn', async () => {
    for (let index = 0; index < 10_000; index++) add(String(index), 'u', 't');
    ban({ kind: 'user', user: 'u', expireAt: 0 });
    expect(ended).toHaveLength(100);
    expect(clock.pendingTimers).toBe(1);
    await clock.advance(200);
    expect(ended).toHaveLength(10_000);
    expect(sessions.size).toBe(0);
  });

  it('looks at the sessions of the user alone when a user is blocked', () => {
    for (let index = 0; index < 50_000; index++) add(String(index), `u${index}`, 't');
    ban({ kind: 'user', user: 'u49999', expireAt: 0 });
    expect(ended).toEqual(['49999 3503']);
  });

  it('looks at all sessions when a token is revoked, with a pause between passes', async () => {
    for (let index = 0; index < 100; index++) add(String(index), `u${index}`, `t${index}`);
    ban({ kind: 'token', tokenId: 't1', expireAt: 0 });
    await clock.advance(1);
    expect(ended).toEqual(['1 3503']);
    ban({ kind: 'token', tokenId: 't2', expireAt: 0 });
    ban({ kind: 'token', tokenId: 't3', expireAt: 0 });
    await clock.advance(200);
    expect(ended).toHaveLength(1);
    await clock.advance(100);
    expect(ended).toHaveLength(3);
  });

  it('looks at all sessions when the list was read again', async () => {
    add('1', 'u', 't');
    list.put({ kind: 'user', user: 'u', expireAt: 0 });
    listener?.onReloaded();
    await clock.advance(1);
    expect(ended).toEqual(['1 3503']);
  });

  it('does nothing after it was stopped, and leaves no timer', async () => {
    for (let index = 0; index < 1_000; index++) add(String(index), 'u', 't');
    const last = listener;
    ban({ kind: 'user', user: 'u', expireAt: 0 });
    stop();
    last?.onReloaded();
    await clock.advance(10_000);
    expect(ended).toHaveLength(100);
    expect(clock.pendingTimers).toBe(0);
  });
});

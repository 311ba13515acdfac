import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { State, type Options, type SubscriptionOptions } from 'centrifuge';

import { startBackend, type Backend, type BackendAnswer, type BackendCall } from '../../harness/backend.ts';
import type { StartClusterOptions } from '../../harness/cluster.ts';
import type { Deployment } from '../../harness/deployment.ts';
import { eventually } from '../../harness/eventually.ts';
import { openOfficialClient, type Encoding, type OfficialClient } from '../../harness/official-client.ts';
import type { Config } from '../../harness/start-process.ts';

/** The person of whom all these files speak, and the one who must not read along. */
export const USER = '17';
export const OTHER = '18';

/** What a client got, in order, whichever kind of subscription brought it. */
export interface Person {
  readonly client: OfficialClient;
  /** Channels that the server subscribed it to. */
  readonly serverSide: string[];
  readonly received: { channel: string; data: unknown }[];
  connect(): Promise<void>;
  /** Subscribes, and says how that ended: `subscribed`, or the code of the refusal. */
  subscribe(channel: string, options?: Partial<SubscriptionOptions>): Promise<'subscribed' | number>;
  /** Connected now, and never away since the first time. */
  isConnected(): boolean;
  /** The code with which the connection ended for good. */
  endedWith(): Promise<number>;
}

export interface Place {
  readonly server: () => Deployment;
  readonly backend: () => Backend;
  /** A client on a gateway; `options` are those of the official client. */
  readonly person: (options: Partial<Options>, gateway?: number, encoding?: Encoding) => Person;
  /** Publishes to the channel and expects that exactly these people get it, each once. */
  readonly expectOnly: (channel: string, people: readonly Person[], others: readonly Person[]) => Promise<void>;
}

export interface PlaceOptions {
  readonly start: (options?: StartClusterOptions) => Promise<Deployment>;
  readonly config: (backend: string) => Config;
  readonly answer?: ((call: BackendCall) => BackendAnswer) | undefined;
}

const REPLY_DEADLINE_MS = 15_000;

/** One deployment and one backend for the tests of a `describe`. */
export function usePlace({ start, config, answer = () => ({ status: 404 }) }: PlaceOptions): Place {
  let server: Deployment | undefined;
  let backend: Backend | undefined;
  const open: OfficialClient[] = [];
  const present = <T>(value: T | undefined): T => {
    if (value === undefined) throw new Error('not started');
    return value;
  };

  beforeAll(async () => {
    backend = await startBackend(answer);
    server = await start({ config: config(backend.url) });
  });
  afterEach(() => {
    for (const client of open.splice(0)) client.close();
  });
  afterAll(async () => {
    await server?.stop();
    await backend?.stop();
  });

  return {
    server: () => present(server),
    backend: () => present(backend),
    person: (options, gateway = 0, encoding = 'json') => {
      const client = openOfficialClient({ url: present(server).wsUrl(gateway), encoding, ...options });
      open.push(client);
      return personOf(client);
    },
    expectOnly: async (channel, people, others) => {
      const data = { for: channel, n: Math.random() };
      const answered = await present(server).api('publish', { channel, data });
      expect(answered).toMatchObject({ status: 200, body: { result: {} } });
      for (const person of people) {
        await eventually(() => expect(person.received).toContainEqual({ channel, data }));
        expect(person.received.filter((item) => item.channel === channel)).toHaveLength(1);
      }
      for (const person of others) expect(person.received).toEqual([]);
    },
  };
}

function personOf(official: OfficialClient): Person {
  const { client, encoding } = official;
  const serverSide: string[] = [];
  const received: Person['received'] = [];
  const read = (data: unknown): unknown =>
    encoding === 'json' ? data : JSON.parse(new TextDecoder().decode(data as Uint8Array));
  client.on('subscribed', ({ channel }) => void serverSide.push(channel));
  client.on('publication', ({ channel, data }) => void received.push({ channel, data: read(data) }));
  return {
    client: official,
    serverSide,
    received,
    connect: () => official.connect(),
    subscribe: async (channel, options) => {
      const subscription = client.newSubscription(channel, options);
      subscription.on('publication', ({ data }) => void received.push({ channel, data: read(data) }));
      const outcome = new Promise<'subscribed' | number>((resolve) => {
        subscription.on('subscribed', () => resolve('subscribed'));
        subscription.on('unsubscribed', ({ code }) => resolve(code));
      });
      subscription.subscribe();
      const late = AbortSignal.timeout(REPLY_DEADLINE_MS);
      return Promise.race([
        outcome,
        new Promise<never>((_resolve, reject) => {
          late.addEventListener('abort', () => reject(new Error(`no answer to the subscription of ${channel}`)));
        }),
      ]);
    },
    isConnected: () =>
      client.state === State.Connected && official.events.filter((event) => event !== 'connected').length === 1,
    endedWith: () =>
      eventually(() => {
        const last = official.events.findLast((event) => event.startsWith('disconnected '));
        if (last === undefined) throw new Error(`still there: ${official.events.join(', ')}`);
        return Number(last.slice('disconnected '.length));
      }),
  };
}

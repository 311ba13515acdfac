import {
  Centrifuge,
  type Options,
  type Subscription,
  type SubscriptionOptions,
  type TransportEndpoint,
} from 'centrifuge';
import { Centrifuge as ProtobufCentrifuge } from 'centrifuge/build/protobuf';
import { WebSocket } from 'ws';

import { within } from './eventually.ts';

export type Encoding = 'json' | 'protobuf';
export const ENCODINGS: readonly Encoding[] = ['json', 'protobuf'];

export interface OfficialClientOptions extends Partial<Options> {
  readonly url: string | TransportEndpoint[];
  readonly encoding?: Encoding | undefined;
}

/** What happened to one subscription, in order. */
export interface Recording {
  readonly subscription: Subscription;
  readonly publications: unknown[];
  readonly offsets: number[];
  readonly joins: string[];
  readonly leaves: string[];
  /** State changes: `subscribed`, `recovered`, `unsubscribed 2500`, … */
  readonly events: string[];
  ready(): Promise<void>;
}

export interface OfficialClient {
  readonly client: Centrifuge;
  readonly encoding: Encoding;
  /** `connected`, `connecting 1`, `disconnected 3503`, … */
  readonly events: string[];
  /** Settles when connected. */
  connect(): Promise<void>;
  /** Subscribes and settles when subscribed. */
  subscribe(channel: string, options?: Partial<SubscriptionOptions>): Promise<Recording>;
  /** Payload as this encoding wants it. */
  payload(value: unknown): unknown;
  close(): void;
}

const DEADLINE_MS = 30_000;
// Clients of a test come back at once: it measures the server, not the client's patience.
const MIN_RECONNECT_MS = 50;
const MAX_RECONNECT_MS = 500;

/** The official JavaScript client over WebSocket, with everything recorded that it reports. */
export function openOfficialClient({ url, encoding = 'json', ...options }: OfficialClientOptions): OfficialClient {
  const client = createClient(url, encoding, {
    websocket: WebSocket,
    minReconnectDelay: MIN_RECONNECT_MS,
    maxReconnectDelay: MAX_RECONNECT_MS,
    ...options,
  });
  const events: string[] = [];
  client.on('connected', () => events.push('connected'));
  client.on('connecting', ({ code }) => events.push(`connecting ${code}`));
  client.on('disconnected', ({ code }) => events.push(`disconnected ${code}`));
  client.on('error', () => undefined);
  return {
    client,
    encoding,
    events,
    connect: async () => {
      client.connect();
      await within(client.ready(), DEADLINE_MS, 'connect');
    },
    subscribe: async (channel, subscriptionOptions) => {
      const recording = record(client.newSubscription(channel, subscriptionOptions), encoding);
      recording.subscription.subscribe();
      await recording.ready();
      return recording;
    },
    payload: (value) => (encoding === 'json' ? value : new TextEncoder().encode(JSON.stringify(value))),
    close: () => client.disconnect(),
  };
}

function createClient(url: string | TransportEndpoint[], encoding: Encoding, options: Partial<Options>): Centrifuge {
  if (encoding === 'json') return new Centrifuge(url, options);
  // The package declares the same class twice; private members make the two differ for the compiler only.
  return new ProtobufCentrifuge(url, options) as unknown as Centrifuge;
}

function record(subscription: Subscription, encoding: Encoding): Recording {
  const recording: Recording = {
    subscription,
    publications: [],
    offsets: [],
    joins: [],
    leaves: [],
    events: [],
    ready: () => within(subscription.ready(), DEADLINE_MS, `subscribe to ${subscription.channel}`),
  };
  subscription.on('publication', ({ data, offset }) => {
    recording.publications.push(encoding === 'json' ? data : JSON.parse(new TextDecoder().decode(data)));
    if (offset !== undefined) recording.offsets.push(offset);
  });
  subscription.on('join', ({ info }) => recording.joins.push(info.client));
  subscription.on('leave', ({ info }) => recording.leaves.push(info.client));
  subscription.on('subscribed', ({ wasRecovering, recovered }) => {
    recording.events.push(wasRecovering ? (recovered ? 'recovered' : 'not recovered') : 'subscribed');
  });
  subscription.on('subscribing', ({ code }) => recording.events.push(`subscribing ${code}`));
  subscription.on('unsubscribed', ({ code }) => recording.events.push(`unsubscribed ${code}`));
  subscription.on('error', () => undefined);
  return recording;
}

// A connection that loses or counts messages, for tests of what must survive that.
import type {
  Msg,
  NatsConnection,
  PublishOptions,
  Payload,
  Subscription,
  SubscriptionOptions,
} from '@nats-io/nats-core';
import type { NatsLink } from '../nats-connection.ts';

export interface Tampering {
  /** Whether a message that arrives for a subscription of the main connection is lost. */
  readonly isLost?: ((message: Msg, subscribed: string) => boolean) | undefined;
  /** Takes the place of a delivery: now, later, twice, or never. */
  readonly deliver?: ((message: Msg, subscribed: string, handOver: () => void) => void) | undefined;
  /** Told of each request on the connection for reads. A text is sent in its place. */
  readonly onRead?: ((subject: string, payload: string) => string | void) | undefined;
}

export function tamperWith(link: NatsLink, { isLost, deliver, onRead }: Tampering): NatsLink {
  const main = overriding(link.main, {
    subscribe: (subject: string, options: SubscriptionOptions = {}): Subscription => {
      const { callback } = options;
      if (callback === undefined) return link.main.subscribe(subject, options);
      return link.main.subscribe(subject, {
        ...options,
        callback: (error, message) => {
          if (error === null && isLost?.(message, subject) === true) return;
          const handOver = (): void => void callback(error, message);
          if (error === null && deliver !== undefined) deliver(message, subject, handOver);
          else handOver();
        },
      });
    },
  });
  const reads = overriding(link.reads, {
    publish: (subject: string, payload?: Payload, options?: PublishOptions): void => {
      const text = typeof payload === 'string' ? payload : Buffer.from(payload ?? []).toString();
      link.reads.publish(subject, onRead?.(subject, text) ?? payload, options);
    },
  });
  return {
    main,
    reads,
    subjects: link.subjects,
    get isConnected() {
      return link.isConnected;
    },
    publish: (subject, payload, options) => link.publish(subject, payload, options),
    send: (message) => link.send(message),
    atTurnEnd: (fn) => link.atTurnEnd(fn),
    whenConnected: (deadlineMs) => link.whenConnected(deadlineMs),
    onReconnect: (fn) => link.onReconnect(fn),
    unavailable: () => link.unavailable(),
    close: () => link.close(),
  };
}

function overriding(connection: NatsConnection, methods: Partial<NatsConnection>): NatsConnection {
  const target: object = Object.create(connection);
  return Object.assign(target, methods) as NatsConnection;
}

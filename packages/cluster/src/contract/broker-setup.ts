import type { Broker, PublishRequest, Retention } from '../broker.ts';
import type { RecordingReceiver } from './recording-receiver.ts';

/** What an adapter gives the broker contract: one cluster, used by all tests of the suite with channels of their own. */
export interface BrokerSetup {
  /** One or more; with several, tests publish on the first and receive on the last. */
  readonly nodes: readonly BrokerNode[];
  /** Lets time pass: moves a fake clock, or waits. */
  elapse(ms: number): Promise<void>;
  close(): Promise<void>;
}

export interface BrokerNode {
  readonly broker: Broker;
  readonly received: RecordingReceiver;
}

export interface BrokerContractOptions {
  /** For how long the adapter under test remembers idempotency keys. Default: the 300 s of the specification. */
  readonly idempotencyTtlMs?: number | undefined;
  /** Expiry may be so much late. Default 0. */
  readonly expirySlackMs?: number | undefined;
}

/** What a part of the suite works with. */
export interface BrokerUnderTest {
  /** Where publications are made. */
  readonly publisher: BrokerNode;
  /** Where they are received and read: the last node, which is the publisher where there is only one. */
  readonly reader: BrokerNode;
  readonly setup: BrokerSetup;
  readonly idempotencyTtlMs: number;
  readonly expirySlackMs: number;
}

const encoder = new TextEncoder();
let numChannels = 0;

/** A channel name that no other test uses, full of what subjects can't hold. */
export function freshChannel(): string {
  numChannels += 1;
  return `news:a.b *>é_${process.pid.toString(36)}_${Date.now().toString(36)}_${numChannels}`;
}

export function bytes(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Ten publications for a minute, meta for an hour, unless told otherwise. */
export function retain(retention: Partial<Retention> = {}): Retention {
  return { historySize: 10, historyTtlMs: 60_000, historyMetaTtlMs: 3_600_000, ...retention };
}

export type Extra = Omit<PublishRequest, 'channel' | 'data' | 'retention'>;

/** Publishes texts to a channel one after the other and gives the offsets. */
export async function publishTexts(
  { broker }: BrokerNode,
  channel: string,
  texts: readonly string[],
  retention: Retention = retain(),
): Promise<number[]> {
  const offsets: number[] = [];
  for (const text of texts) {
    const result = await broker.publish({ channel, data: bytes(text), retention });
    offsets.push(result.position.offset);
  }
  return offsets;
}

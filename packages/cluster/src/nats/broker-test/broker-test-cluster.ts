// Two nodes on a NATS server, for tests of the broker: an owner and an edge.
import { createSilentLog, systemClock, type Log, type Metrics } from '@carillon/service-kit';
import type { BrokerNode } from '../../contract/broker-setup.ts';
import { RecordingReceiver } from '../../contract/recording-receiver.ts';
import type { NodeRecord } from '../../control.ts';
import { createNatsBroker, type NatsBrokerOptions } from '../nats-broker.ts';
import { connectNats, type NatsLink } from '../nats-connection.ts';

export interface TestNode extends BrokerNode {
  readonly link: NatsLink;
  close(): Promise<void>;
}

export interface TestNodeOptions extends Partial<NatsBrokerOptions> {
  readonly url: string;
  readonly prefix: string;
  readonly shards?: number | undefined;
  readonly nodeId?: string | undefined;
  readonly nodes?: (() => readonly NodeRecord[]) | undefined;
  readonly log?: Log | undefined;
  readonly metrics?: Metrics | undefined;
  /** Stands between the broker and NATS, to break things. */
  readonly tamper?: ((link: NatsLink) => NatsLink) | undefined;
}

let numPrefixes = 0;

/** A prefix that no other test uses. */
export function freshPrefix(): string {
  numPrefixes += 1;
  return `t${process.pid.toString(36)}${Date.now().toString(36)}${numPrefixes}`;
}

export function nodeRecord(id: string, role: NodeRecord['role'] = 'api'): NodeRecord {
  const stats = { numClients: 0, numUsers: 0, numChannels: 0, numSubs: 0 };
  return { id, name: id, role, version: '0', startedAt: 0, ...stats };
}

export async function startNode(options: TestNodeOptions): Promise<TestNode> {
  const {
    url,
    prefix,
    shards = 2,
    nodeId = 'n1',
    nodes = () => [],
    log = createSilentLog(),
    tamper,
    metrics,
    ...broker
  } = options;
  const link = await connectNats({ url, prefix, shards, log });
  const received = new RecordingReceiver();
  const adapter = await createNatsBroker({
    connection: tamper === undefined ? link : tamper(link),
    receiver: received,
    clock: systemClock,
    log,
    nodes,
    nodeId,
    metrics,
    options: { role: 'owner', ...broker },
  });
  const close = async (): Promise<void> => {
    await adapter.close();
    await link.close();
  };
  return { broker: adapter, received, link, close };
}

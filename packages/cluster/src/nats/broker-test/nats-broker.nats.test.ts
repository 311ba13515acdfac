import { startNats } from '@carillon/dev-tools/test-nats';
import { brokerContract } from '../../contract/broker.contract.ts';
import { freshPrefix, nodeRecord, startNode } from './broker-test-cluster.ts';

const IDEMPOTENCY_TTL_MS = 3_000;
const EXPIRY_SLACK_MS = 1_000;

const elapse = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

brokerContract(
  'NATS, an owner and an edge',
  async () => {
    const server = await startNats();
    const prefix = freshPrefix();
    const nodes = () => [nodeRecord('api-1')];
    const common = { url: server.url, prefix, nodes, idempotencyTtlMs: IDEMPOTENCY_TTL_MS };
    const owner = await startNode({ ...common, nodeId: 'api-1', role: 'owner' });
    const edge = await startNode({ ...common, nodeId: 'gateway-1', role: 'edge' });
    const close = async (): Promise<void> => {
      await Promise.all([owner.close(), edge.close()]);
      await server.stop();
    };
    return { nodes: [owner, edge], elapse, close };
  },
  { idempotencyTtlMs: IDEMPOTENCY_TTL_MS, expirySlackMs: EXPIRY_SLACK_MS },
);

brokerContract(
  'NATS, two nodes that both append',
  async () => {
    const server = await startNats();
    const common = { url: server.url, prefix: freshPrefix(), idempotencyTtlMs: IDEMPOTENCY_TTL_MS };
    const [first, second] = [await startNode({ ...common, nodeId: 'a' }), await startNode({ ...common, nodeId: 'b' })];
    const close = async (): Promise<void> => {
      await Promise.all([first.close(), second.close()]);
      await server.stop();
    };
    return { nodes: [first, second], elapse, close };
  },
  { idempotencyTtlMs: IDEMPOTENCY_TTL_MS, expirySlackMs: EXPIRY_SLACK_MS },
);

import type { NodeRecord } from '@carillon/cluster';
import type { InfoRequest, InfoResult, NodeResult } from '@carillon/protocol/api';
import { COMPAT_VERSION } from '@carillon/protocol/codes';
import type { MethodDeps, MethodHandler } from '../method-deps.ts';

/**
 * `info` (server-api §7.10).
 * compat: a node of the reference holds clients, so the nodes listed are those that do: gateways and standalone processes.
 */
export function createInfo({
  control,
  clock,
}: Pick<MethodDeps, 'control' | 'clock'>): MethodHandler<InfoRequest, InfoResult> {
  return async () => {
    const now = clock.now();
    const holders = control.nodes().filter(({ role }) => role === 'gateway' || role === 'standalone');
    return { nodes: holders.map((node) => nodeResult(node, now)) };
  };
}

function nodeResult(node: NodeRecord, now: number): NodeResult {
  return {
    uid: node.id,
    name: node.name,
    version: COMPAT_VERSION,
    numClients: node.numClients,
    numUsers: node.numUsers,
    numChannels: node.numChannels,
    numSubs: node.numSubs,
    // The clocks of two machines may disagree.
    uptime: Math.max(0, Math.floor((now - node.startedAt) / 1_000)),
  };
}

import type { NodeRecord } from '@carillon/cluster';
import type { InfoRequest, InfoResult, NodeResult } from '@carillon/protocol/api';
import { COMPAT_VERSION } from '@carillon/protocol/codes';
import { surveyByNode } from './survey.ts';
import type { MethodDeps, MethodHandler } from '../method-deps.ts';

/**
 * `info` (server-api §7.10): what each node holds at this moment; one that is silent fails the call.
 * compat: a node of the reference holds clients, so the nodes listed are those that do: gateways and standalone processes.
 */
export function createInfo({
  control,
  clock,
}: Pick<MethodDeps, 'control' | 'clock'>): MethodHandler<InfoRequest, InfoResult> {
  return async () => {
    const answers = await surveyByNode(control, { kind: 'stats' });
    const now = clock.now();
    // Who came or left while the others were asked is not told of.
    const holders = control.nodes().filter(({ id }) => answers.has(id));
    return { nodes: holders.map((node) => nodeResult({ ...node, ...answers.get(node.id)?.stats }, now)) };
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

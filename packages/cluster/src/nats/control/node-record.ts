import type { NodeRecord, NodeRole } from '../../control.ts';

const ROLES: ReadonlySet<string> = new Set<NodeRole>(['gateway', 'api', 'auth-policy', 'standalone']);
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function encodeNodeRecord(record: NodeRecord): Uint8Array {
  return encoder.encode(JSON.stringify(record));
}

/** Undefined for what is no record of this release: such a node is none of ours. */
export function decodeNodeRecord(bytes: Uint8Array): NodeRecord | undefined {
  const fields = parseObject(bytes);
  if (fields === undefined) return undefined;
  const { id, role } = fields;
  if (typeof id !== 'string' || id === '' || !isRole(role)) return undefined;
  return {
    id,
    role,
    name: textOf(fields['name']),
    version: textOf(fields['version']),
    startedAt: numberOf(fields['startedAt']),
    numClients: numberOf(fields['numClients']),
    numUsers: numberOf(fields['numUsers']),
    numChannels: numberOf(fields['numChannels']),
    numSubs: numberOf(fields['numSubs']),
  };
}

function parseObject(bytes: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(decoder.decode(bytes));
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    // Not JSON: none of ours, as the caller says.
    return undefined;
  }
}

function isRole(role: unknown): role is NodeRole {
  return typeof role === 'string' && ROLES.has(role);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function numberOf(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : 0;
}

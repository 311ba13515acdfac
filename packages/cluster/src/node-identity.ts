import type { NodeRole } from './control.ts';

/** What a node tells of itself; fixed for the life of the process. */
export interface NodeIdentity {
  /** `node.name` of the configuration. */
  readonly name: string;
  readonly role: NodeRole;
  readonly version: string;
}

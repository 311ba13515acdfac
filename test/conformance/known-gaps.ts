import type { Deployment } from '../harness/deployment.ts';

/** A row that Carillon does not fulfil yet. The list may only shrink: a row that works now fails its test. */
export interface KnownGap {
  readonly id: string;
  readonly reason: string;
  /** Default: both kinds of deployment. */
  readonly only?: Deployment['kind'] | undefined;
}

export const KNOWN_GAPS: readonly KnownGap[] = [];

export function gapOf(id: string, kind: Deployment['kind']): KnownGap | undefined {
  return KNOWN_GAPS.find((gap) => gap.id === id && (gap.only ?? kind) === kind);
}

import type { Refusal } from '@carillon/policy';
import { ClientError, Disconnect } from '@carillon/protocol/codes';

/** Turns a rule's refusal into what the dispatcher understands. */
export function throwRefusal(refusal: Refusal): never {
  throw refusal.kind === 'error' ? new ClientError(refusal.error) : new Disconnect(refusal.disconnect);
}

/** Throws where there is a refusal. */
export function throwIfRefused(refusal: Refusal | undefined): void {
  if (refusal !== undefined) throwRefusal(refusal);
}

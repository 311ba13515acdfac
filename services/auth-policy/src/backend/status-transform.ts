import type { StatusTransform } from '@carillon/config';

import type { ReplyEnvelope } from './backend.ts';

/** The reply a status stands for (proxy.md §5): the first transform of that status. Never applied to status 200. */
export function transformStatus(
  status: number,
  transforms: readonly StatusTransform[],
): ReplyEnvelope<never> | undefined {
  const transform = transforms.find(({ statusCode }) => statusCode === status);
  if (transform === undefined) return undefined;
  const { toError, toDisconnect } = transform;
  return toError.code === 0 ? { disconnect: toDisconnect } : { error: toError };
}

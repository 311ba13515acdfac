import type { BroadcastResult, PublishResult } from '@carillon/protocol/api';

/** Needs no escapes; those that we make are such. */
const PLAIN_EPOCH = /^[A-Za-z0-9_-]+$/;

/** `{"result":…}` of a publish, as its codec writes it; undefined: that is for the codec. */
export function publishJson(result: PublishResult): string | undefined {
  const { offset = 0, epoch = '' } = result;
  if (offset <= 0 || !PLAIN_EPOCH.test(epoch)) return undefined;
  return `{"result":{"offset":${offset},"epoch":"${epoch}"}}`;
}

/** The same of a broadcast. */
export function broadcastJson({ responses = [] }: BroadcastResult): string | undefined {
  const parts: string[] = [];
  for (const { result, error } of responses) {
    const part = result === undefined || error !== undefined ? undefined : publishJson(result);
    if (part === undefined) return undefined;
    parts.push(part);
  }
  return parts.length === 0 ? undefined : `{"result":{"responses":[${parts.join(',')}]}}`;
}

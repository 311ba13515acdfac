import type { Push, Reply } from '@carillon/protocol/client';

/** What a message of a connection is, as metrics name it (`frame_type` and `method`, channels-and-config §4.2). */
export type FrameType =
  | 'server_ping'
  | 'client_pong'
  | 'push_connect'
  | 'push_subscribe'
  | 'push_publication'
  | 'push_join'
  | 'push_leave'
  | 'push_unsubscribe'
  | 'push_message'
  | 'push_refresh'
  | 'push_disconnect'
  | 'connect'
  | 'subscribe'
  | 'publish'
  | 'unsubscribe'
  | 'rpc'
  | 'presence'
  | 'presence_stats'
  | 'history'
  | 'refresh'
  | 'sub_refresh'
  | 'send'
  | 'unknown';

const REPLIES = [
  ['publish', 'publish'],
  ['connect', 'connect'],
  ['subscribe', 'subscribe'],
  ['unsubscribe', 'unsubscribe'],
  ['rpc', 'rpc'],
  ['presence', 'presence'],
  ['presenceStats', 'presence_stats'],
  ['history', 'history'],
  ['refresh', 'refresh'],
  ['subRefresh', 'sub_refresh'],
] as const satisfies readonly (readonly [keyof Reply, FrameType])[];

const PUSHES = [
  ['pub', 'push_publication'],
  ['join', 'push_join'],
  ['leave', 'push_leave'],
  ['subscribe', 'push_subscribe'],
  ['unsubscribe', 'push_unsubscribe'],
  ['connect', 'push_connect'],
  ['message', 'push_message'],
  ['refresh', 'push_refresh'],
  ['disconnect', 'push_disconnect'],
] as const satisfies readonly (readonly [keyof Push, FrameType])[];

/** `unknown` for an error, which does not say what it answers. */
export function frameTypeOfReply(reply: Reply): FrameType {
  for (const [field, type] of REPLIES) if (reply[field] !== undefined) return type;
  return 'unknown';
}

export function frameTypeOfPush(push: Push): FrameType {
  for (const [field, type] of PUSHES) if (push[field] !== undefined) return type;
  return 'unknown';
}

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

/** `unknown` for an error, which does not say what it answers. */
export function frameTypeOfReply(reply: Reply): FrameType {
  if (reply.publish !== undefined) return 'publish';
  if (reply.rpc !== undefined) return 'rpc';
  if (reply.connect !== undefined) return 'connect';
  if (reply.subscribe !== undefined) return 'subscribe';
  if (reply.unsubscribe !== undefined) return 'unsubscribe';
  if (reply.presence !== undefined) return 'presence';
  if (reply.presenceStats !== undefined) return 'presence_stats';
  if (reply.history !== undefined) return 'history';
  if (reply.refresh !== undefined) return 'refresh';
  if (reply.subRefresh !== undefined) return 'sub_refresh';
  return 'unknown';
}

export function frameTypeOfPush(push: Push): FrameType {
  if (push.pub !== undefined) return 'push_publication';
  if (push.join !== undefined) return 'push_join';
  if (push.leave !== undefined) return 'push_leave';
  if (push.subscribe !== undefined) return 'push_subscribe';
  if (push.unsubscribe !== undefined) return 'push_unsubscribe';
  if (push.connect !== undefined) return 'push_connect';
  if (push.message !== undefined) return 'push_message';
  if (push.refresh !== undefined) return 'push_refresh';
  if (push.disconnect !== undefined) return 'push_disconnect';
  return 'unknown';
}

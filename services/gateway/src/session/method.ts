import type { Command } from '@carillon/protocol/client';
import type { FrameType } from './frame-type.ts';

/** Commands in the order in which the first one present wins when a frame carries several (client-protocol §3.4). */
export const METHODS = [
  'connect',
  'ping',
  'subscribe',
  'unsubscribe',
  'publish',
  'presence',
  'presenceStats',
  'history',
  'rpc',
  'send',
  'refresh',
  'subRefresh',
] as const;

export type Method = (typeof METHODS)[number];

const FRAME_TYPES: Readonly<Record<Method, FrameType>> = {
  connect: 'connect',
  // compat: no type of its own upstream, where it is an error to send one.
  ping: 'unknown',
  subscribe: 'subscribe',
  unsubscribe: 'unsubscribe',
  publish: 'publish',
  presence: 'presence',
  presenceStats: 'presence_stats',
  history: 'history',
  rpc: 'rpc',
  send: 'send',
  refresh: 'refresh',
  subRefresh: 'sub_refresh',
};

/** Undefined: the command carries nothing that is known. */
export function methodOf(command: Command): Method | undefined {
  return METHODS.find((name) => command[name] !== undefined);
}

/** The name of a method in metrics. */
export function frameTypeOf(method: Method | undefined): FrameType {
  return method === undefined ? 'unknown' : FRAME_TYPES[method];
}

/** What has no id and is not `send` is a pong, whatever else it carries (client-protocol §3.3). */
export function frameTypeOfCommand(command: Command): FrameType {
  if ((command.id ?? 0) === 0 && command.send === undefined) return 'client_pong';
  return frameTypeOf(methodOf(command));
}

import { OperationalError } from '@carillon/service-kit';
import type { ControlCommand, SurveyAnswer, SurveyQuestion } from '../../control.ts';
import { decodeBinaryJson, encodeBinaryJson } from './binary-json.ts';

/** What nodes send each other. Commands go to all nodes, the rest to one, which replies. */
export type ControlMessage =
  | { readonly type: 'command'; readonly from: string; readonly command: ControlCommand }
  | { readonly type: 'survey'; readonly question: SurveyQuestion }
  | { readonly type: 'emulate'; readonly session: string; readonly frame: Uint8Array };

/** A reply; an answer to a survey may come in several parts, each with `more` but the last. */
export type ControlReply =
  | { readonly type: 'done' }
  | { readonly type: 'failed'; readonly reason: string }
  /** To a command that asks for it: by which node, and to how many sessions; undefined: it failed. */
  | { readonly type: 'applied'; readonly node: string; readonly sessions: number | undefined }
  | { readonly type: 'answer'; readonly answer: SurveyAnswer; readonly more: boolean };

/** Of each part of an answer, so that it fits into a message of any NATS server (1 MB unless configured). */
const MAX_PART_BYTES = 256 * 1024;

const COMMANDS: ReadonlySet<unknown> = new Set<ControlCommand['kind']>([
  'subscribe',
  'unsubscribe',
  'disconnect',
  'refresh',
  'rules_changed',
]);
const QUESTIONS: ReadonlySet<unknown> = new Set<SurveyQuestion['kind']>(['channels', 'connections', 'users', 'stats']);

export function encodeControlMessage(message: ControlMessage): Uint8Array {
  return encodeBinaryJson(message);
}

export function encodeControlReply(reply: ControlReply): Uint8Array {
  return encodeBinaryJson(reply);
}

/** Throws an OperationalError for what this release does not know; senders are nodes of this cluster and trusted. */
export function decodeControlMessage(bytes: Uint8Array): ControlMessage {
  const message = decodeBinaryJson(bytes) as Partial<ControlMessage> | null;
  switch (message?.type) {
    case 'command':
      if (COMMANDS.has(message.command?.kind)) return message as ControlMessage;
      break;
    case 'survey':
      if (QUESTIONS.has(message.question?.kind)) return message as ControlMessage;
      break;
    case 'emulate':
      if (typeof message.session === 'string' && message.frame instanceof Uint8Array) return message as ControlMessage;
      break;
    default:
  }
  throw new OperationalError(
    'control_unknown',
    'another node sent a message of a kind that this release does not know',
  );
}

/** Throws an OperationalError for what is no reply. */
export function decodeControlReply(bytes: Uint8Array): ControlReply {
  const reply = decodeBinaryJson(bytes) as Partial<ControlReply> | null;
  switch (reply?.type) {
    case 'done':
    case 'failed':
      return reply as ControlReply;
    case 'applied':
      if (typeof reply.node === 'string') return reply as ControlReply;
      break;
    case 'answer':
      if (QUESTIONS.has(reply.answer?.kind)) return reply as ControlReply;
      break;
    default:
  }
  throw new OperationalError('control_unknown', 'another node sent a reply of a kind that this release does not know');
}

/** Cuts an answer into parts that fit into a message each. */
export function splitAnswer(answer: SurveyAnswer, maxPartBytes: number = MAX_PART_BYTES): SurveyAnswer[] {
  switch (answer.kind) {
    case 'channels':
      return splitMap(answer.channels, maxPartBytes).map((channels) => ({ kind: 'channels', channels }));
    case 'connections':
      return splitMap(answer.connections, maxPartBytes).map((connections) => ({ kind: 'connections', connections }));
    case 'users':
      return splitMap(answer.users, maxPartBytes).map((users) => ({ kind: 'users', users }));
    case 'stats':
      return [answer];
  }
}

/** Puts the parts of one node's answer together; they are all of one kind. */
export function joinAnswers(parts: readonly SurveyAnswer[]): SurveyAnswer | undefined {
  const [first] = parts;
  if (first === undefined || parts.length === 1) return first;
  switch (first.kind) {
    case 'channels':
      return { kind: first.kind, channels: joinMaps(parts, (part) => part.kind === first.kind && part.channels) };
    case 'connections':
      return { kind: first.kind, connections: joinMaps(parts, (part) => part.kind === first.kind && part.connections) };
    case 'users':
      return { kind: first.kind, users: joinMaps(parts, (part) => part.kind === first.kind && part.users) };
    case 'stats':
      return first;
  }
}

function joinMaps<V>(
  parts: readonly SurveyAnswer[],
  mapOf: (part: SurveyAnswer) => ReadonlyMap<string, V> | false,
): ReadonlyMap<string, V> {
  return new Map(parts.flatMap((part) => [...(mapOf(part) || [])]));
}

function splitMap<V>(map: ReadonlyMap<string, V>, maxPartBytes: number): Map<string, V>[] {
  let part = new Map<string, V>();
  const parts = [part];
  let partBytes = 0;
  for (const [key, value] of map) {
    const entryBytes = entrySize(key, value);
    if (part.size > 0 && partBytes + entryBytes > maxPartBytes) {
      part = new Map();
      parts.push(part);
      partBytes = 0;
    }
    part.set(key, value);
    partBytes += entryBytes;
  }
  return parts;
}

function entrySize(key: string, value: unknown): number {
  // Most answers are counts by name: no need to build what is only measured.
  return typeof value === 'number'
    ? Buffer.byteLength(JSON.stringify([key, value]))
    : encodeBinaryJson([key, value]).length;
}

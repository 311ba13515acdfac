import { ProtocolViolation } from '../codes/protocol-violation.ts';
import { LegacyCommandSchema, LegacyReplySchema } from '../gen/legacy_pb.ts';
import { compileCodec, type MessageCodec } from '../wire/message-codec.ts';
import type { Wire } from '../wire/wire.ts';
import type * as gen from '../gen/legacy_pb.ts';

// The old endpoint that takes commands instead of routes (server-api.md §5).

/** One command; `id` 0 means none was given. */
export interface LegacyCommand {
  readonly id: number;
  /** Name of a method in HTTP routes. Undefined: a number nobody has (the answer is error 104). May be one we lack, too. */
  readonly method: string | undefined;
  /** JSON of the request. Undefined: missing (the answer is error 107, but for `info`). */
  readonly params: Uint8Array | undefined;
}

/** `result` is the JSON of the method's result. */
export type LegacyReply = Wire<gen.LegacyReply>;

/** Names by number; what is absent here has no such number. */
const NAMES: readonly (string | undefined)[] = [
  'publish',
  'broadcast',
  'unsubscribe',
  'disconnect',
  'presence',
  'presence_stats',
  'history',
  'history_remove',
  'channels',
  'info',
  'rpc',
  'subscribe',
  'refresh',
  undefined,
  'connections',
  'update_user_status',
  'get_user_status',
  'delete_user_status',
  'block_user',
  'unblock_user',
  'revoke_token',
  'invalidate_user_tokens',
  'device_register',
  'device_update',
  'device_remove',
  'device_list',
  'device_topic_list',
  'device_topic_update',
  'user_topic_list',
  'user_topic_update',
  'send_push_notification',
  'update_push_status',
  'cancel_push',
  'map_publish',
  'map_remove',
  'map_read_state',
  'map_read_stream',
  'map_stats',
  'map_clear',
  'shared_poll_publish',
];

/** No fraction and no exponent, even where the number is whole. */
const INTEGER = /^-?\d+$/;
const MAX_INTEGER_LENGTH = 20;

const commandCodec: MessageCodec<Wire<gen.LegacyCommand>> = compileCodec(LegacyCommandSchema, { json: 'api' });

export const legacyReplyCodec: MessageCodec<LegacyReply> = compileCodec(LegacyReplySchema, { json: 'api' });

/**
 * The commands of a body in order, lazily: those before a malformed one have been given when ProtocolViolation is
 * thrown, which is also what an unknown method name gets (status 400). An empty body is a violation.
 */
export function* legacyCommands(body: Uint8Array): Generator<LegacyCommand> {
  if (body.length === 0) throw new ProtocolViolation('the body is empty');
  for (const command of commandCodec.readJsonStream(body)) {
    yield { id: command.id ?? 0, method: methodName(command.method), params: command.params };
  }
}

/** compat: 64 bits are read, of which the lower 32 count. */
function methodNumber(text: string): number {
  if (text.length > MAX_INTEGER_LENGTH) throw new ProtocolViolation('the number of the method does not fit 64 bits');
  const exact = BigInt(text);
  if (BigInt.asIntN(64, exact) !== exact) throw new ProtocolViolation('the number of the method does not fit 64 bits');
  return Number(BigInt.asIntN(32, exact));
}

function methodName(raw: Uint8Array | undefined): string | undefined {
  if (raw === undefined) return NAMES[0];
  const text = Buffer.from(raw).toString('utf8');
  if (INTEGER.test(text)) return NAMES[methodNumber(text)];
  // The reader has proved that this is JSON.
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'string') throw new ProtocolViolation('a method is a name or a number');
  const name = value.toLowerCase();
  if (!NAMES.includes(name)) throw new ProtocolViolation('there is no such method');
  return name;
}

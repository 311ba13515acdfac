import { legacyCommands, legacyReplyCodec, type ErrorBody, type LegacyCommand } from '@carillon/protocol/api';
import { API_BAD_REQUEST, API_NOT_FOUND, ProtocolViolation } from '@carillon/protocol/codes';
import type { TraceContext } from '@carillon/service-kit/tracing';
import type { CallableMethod, MethodTable } from '../method/method-table.ts';
import { jsonAnswer } from './answer.ts';
import type { Endpoint } from './method-endpoint.ts';

const NEWLINE = Buffer.from('\n');
const NO_PARAMS = Buffer.from('{}');

/** `POST {prefix}` (server-api §5): commands one after the other, in the body and in time. */
export function legacyEndpoint(table: MethodTable): Endpoint {
  const byName = new Map([...table.values()].map((method) => [method.wire.name, method]));
  return async (body, { trace }) => {
    const replies: Uint8Array[] = [];
    // Decoded as they are run: those before a malformed one have happened (compat).
    for (const command of legacyCommands(body)) {
      if (replies.length > 0) replies.push(NEWLINE);
      replies.push(await replyTo(command, byName.get(command.method ?? ''), trace));
    }
    return jsonAnswer(Buffer.concat(replies));
  };
}

async function replyTo(
  { id, params }: LegacyCommand,
  method: CallableMethod | undefined,
  trace: TraceContext | undefined,
): Promise<Uint8Array> {
  if (method === undefined) return write(id, API_NOT_FOUND);
  const request = decodeParams(method, params);
  if (request === undefined) return write(id, API_BAD_REQUEST);
  const { error, result } = await method.call(request, trace);
  if (error !== undefined) return write(id, error);
  return legacyReplyCodec.writeJson({ id, result: method.wire.result.writeJson(result ?? {}) });
}

function decodeParams({ wire }: CallableMethod, params: Uint8Array | undefined): object | undefined {
  // compat: `info` does not look at its params.
  const json = wire.name === 'info' ? NO_PARAMS : params;
  if (json === undefined) return undefined;
  try {
    return wire.request.readJson(json);
  } catch (error) {
    if (error instanceof ProtocolViolation) return undefined;
    throw error;
  }
}

function write(id: number, { code, message }: ErrorBody): Uint8Array {
  return legacyReplyCodec.writeJson({ id, error: { code, message } });
}

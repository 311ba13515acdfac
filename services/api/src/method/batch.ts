import type { BatchRequest, BatchResponse, Command, Reply } from '@carillon/protocol/api';
import { API_BAD_REQUEST, API_NOT_FOUND, type ApiErrorCode } from '@carillon/protocol/codes';
import { NULL_MESSAGE } from '@carillon/protocol/wire';
import type { TraceContext } from '@carillon/service-kit/tracing';
import type { ApiProtocol } from '../metrics.ts';
import type { FollowCall } from './follow/follow-calls.ts';
import { mapConcurrently } from './map-concurrently.ts';
import type { MethodTable } from './method-table.ts';

/** Commands of a parallel batch that are under way at a time. */
const MAX_CONCURRENT_COMMANDS = 1_024;

export interface BatchDeps {
  readonly table: MethodTable;
  readonly protocol: ApiProtocol;
  readonly follow: FollowCall;
}

/** Never rejects. `parent` is where the trace of the request goes on, if it has one. */
export type RunBatch = (request: BatchRequest, parent?: TraceContext) => Promise<BatchResponse>;

/** `batch` (server-api §7.13): replies in the order of the commands; a command that fails does not stop the others. */
export function createBatch({ table, protocol, follow }: BatchDeps): RunBatch {
  return async (request, parent) => {
    const { commands = [], parallel = false } = request;
    const followed = follow?.({ protocol, method: 'batch', request, parent });
    const run = (command: Command): Promise<Reply> => runCommand(table, command, followed?.context);
    const replies = await mapConcurrently(commands, parallel ? MAX_CONCURRENT_COMMANDS : 1, run);
    followed?.end(undefined);
    return { replies };
  };
}

async function runCommand(table: MethodTable, command: Command, parent: TraceContext | undefined): Promise<Reply> {
  if (command === NULL_MESSAGE) return failed(API_BAD_REQUEST);
  for (const [field, method] of table) {
    const request = command[field];
    if (request === undefined) continue;
    const { error, result } = await method.call(request, parent);
    return error === undefined ? { [field]: result } : { error };
  }
  return failed(API_NOT_FOUND);
}

function failed({ code, message }: ApiErrorCode): Reply {
  return { error: { code, message } };
}

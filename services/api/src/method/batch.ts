import type { BatchRequest, BatchResponse, Command, Reply } from '@carillon/protocol/api';
import { API_BAD_REQUEST, API_NOT_FOUND, type ApiErrorCode } from '@carillon/protocol/codes';
import { NULL_MESSAGE } from '@carillon/protocol/wire';
import { mapConcurrently } from './map-concurrently.ts';
import type { MethodTable } from './method-table.ts';

/** Commands of a parallel batch that are under way at a time. */
const MAX_CONCURRENT_COMMANDS = 1_024;

/** `batch` (server-api §7.13): replies in the order of the commands; a command that fails does not stop the others. */
export function createBatch(table: MethodTable): (request: BatchRequest) => Promise<BatchResponse> {
  const run = (command: Command): Promise<Reply> => runCommand(table, command);
  return async ({ commands = [], parallel = false }) => ({
    replies: await mapConcurrently(commands, parallel ? MAX_CONCURRENT_COMMANDS : 1, run),
  });
}

async function runCommand(table: MethodTable, command: Command): Promise<Reply> {
  if (command === NULL_MESSAGE) return failed(API_BAD_REQUEST);
  for (const [field, method] of table) {
    const request = command[field];
    if (request === undefined) continue;
    const { error, result } = await method.call(request);
    return error === undefined ? { [field]: result } : { error };
  }
  return failed(API_NOT_FOUND);
}

function failed({ code, message }: ApiErrorCode): Reply {
  return { error: { code, message } };
}

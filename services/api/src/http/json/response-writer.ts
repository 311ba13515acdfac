import type { ApiMethod, ApiResponse } from '@carillon/protocol/api';
import { PresenceMembers } from '../../method/channel/presence-members.ts';
import { EMPTY_RESULT } from '../../method/empty-result.ts';
import { broadcastJson, publishJson } from './position-json.ts';
import { PresenceJson } from './presence-json.ts';

type ResultWriter = (result: object) => string | undefined;

/** For the results of some methods, by name; undefined for what only the codec can write. */
const RESULT_WRITERS: ReadonlyMap<string, ResultWriter> = new Map<string, ResultWriter>([
  ['publish', publishJson],
  ['broadcast', broadcastJson],
]);

/**
 * Writes the answers of a method, byte for byte what its codec writes; the most frequent and the largest ones at less cost.
 * Throws what the codec throws.
 */
export function createResponseWriter({
  name,
  response: codec,
}: Pick<ApiMethod<object, object>, 'name' | 'response'>): (response: ApiResponse<object>) => Uint8Array | string {
  const empty = codec.writeJson({ result: EMPTY_RESULT });
  const presence = new PresenceJson();
  const writeResult = RESULT_WRITERS.get(name);
  return (response) => {
    const { result } = response;
    if (result === EMPTY_RESULT) return empty;
    if (result instanceof PresenceMembers) return presence.write(result.members);
    const text = result === undefined || response.error !== undefined ? undefined : writeResult?.(result);
    return text ?? codec.writeJson(response);
  };
}

import type { ApiMethod, ApiResponse } from '@carillon/protocol/api';
import { PresenceMembers } from '../../method/channel/presence-members.ts';
import { EMPTY_RESULT } from '../../method/empty-result.ts';
import { PresenceJson } from './presence-json.ts';

/**
 * Writes the answers of a method, byte for byte what its codec writes; the most frequent and the largest ones at less cost.
 * Throws what the codec throws.
 */
export function createResponseWriter({
  response: codec,
}: Pick<ApiMethod<object, object>, 'response'>): (response: ApiResponse<object>) => Uint8Array {
  const empty = codec.writeJson({ result: EMPTY_RESULT });
  const presence = new PresenceJson();
  return (response) => {
    const { result } = response;
    if (result === EMPTY_RESULT) return empty;
    return result instanceof PresenceMembers ? presence.write(result.members) : codec.writeJson(response);
  };
}

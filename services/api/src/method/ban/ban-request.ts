import { API_BAD_REQUEST, ApiError } from '@carillon/protocol/codes';

/** Longest user, token id or channel of a ban, bytes: every node keeps all bans in memory. */
export const MAX_BAN_NAME_BYTES = 1_024;

/** A name that a ban is about; error 107 when it is missing or too long. */
export function requireName(name: string | undefined): string {
  if (name === undefined || name === '') throw new ApiError(API_BAD_REQUEST);
  return boundedName(name);
}

/** The same where it may be missing. */
export function boundedName(name = ''): string {
  if (Buffer.byteLength(name) > MAX_BAN_NAME_BYTES) throw new ApiError(API_BAD_REQUEST);
  return name;
}

/** Unix seconds; 0 where it is missing. Error 107 when there can be no such time. */
export function requireTime(time = 0): number {
  if (time < 0) throw new ApiError(API_BAD_REQUEST);
  return time;
}

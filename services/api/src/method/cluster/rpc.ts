import type { RpcRequest, RpcResult } from '@carillon/protocol/api';
import { API_BAD_REQUEST, API_NOT_FOUND, ApiError } from '@carillon/protocol/codes';
import type { MethodHandler } from '../method-deps.ts';

/** `rpc` (server-api §7.11): calls a method of the server itself, and there are none. */
export function createRpc(): MethodHandler<RpcRequest, RpcResult> {
  return async ({ method = '' }) => {
    throw new ApiError(method === '' ? API_BAD_REQUEST : API_NOT_FOUND);
  };
}

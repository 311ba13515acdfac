import { isMapType } from '@carillon/policy';
import type {
  MapClearRequest,
  MapClearResult,
  MapPublishRequest,
  MapPublishResult,
  MapReadStateRequest,
  MapReadStateResult,
  MapReadStreamRequest,
  MapReadStreamResult,
  MapRemoveRequest,
  MapRemoveResult,
  MapStatsRequest,
  MapStatsResult,
} from '@carillon/protocol/api';
import { API_BAD_REQUEST, API_NOT_AVAILABLE, ApiError } from '@carillon/protocol/codes';
import { requireChannel } from '../request/channel-lookup.ts';
import type { MethodDeps, MethodHandler } from '../method-deps.ts';
import { requestPayload } from '../request/request-payload.ts';

const KEY_MODES: readonly string[] = ['', 'if_new', 'if_exists'];

export interface MapMethods {
  readonly mapPublish: MethodHandler<MapPublishRequest, MapPublishResult>;
  readonly mapRemove: MethodHandler<MapRemoveRequest, MapRemoveResult>;
  readonly mapReadState: MethodHandler<MapReadStateRequest, MapReadStateResult>;
  readonly mapReadStream: MethodHandler<MapReadStreamRequest, MapReadStreamResult>;
  readonly mapStats: MethodHandler<MapStatsRequest, MapStatsResult>;
  readonly mapClear: MethodHandler<MapClearRequest, MapClearResult>;
}

/**
 * The map methods (server-api §7.14). No engine of ours keeps maps: a request that is in order is answered with error 108,
 * any other as documented.
 */
export function createMapMethods({ channels }: Pick<MethodDeps, 'channels'>): MapMethods {
  const refuse = async (request: { readonly channel?: string | undefined }): Promise<never> => {
    requireMap(request.channel);
    throw new ApiError(API_NOT_AVAILABLE);
  };
  const requireMap = (name: string | undefined): void => {
    const channel = requireChannel(name, channels());
    if (!isMapType(channel.options.subscriptionType)) throw new ApiError(API_BAD_REQUEST);
  };
  return {
    async mapPublish(request) {
      requireKey(request.key);
      requireMap(request.channel);
      requestPayload(request.data, request.b64data);
      if (!KEY_MODES.includes(request.keyMode ?? '')) throw new ApiError(API_BAD_REQUEST);
      throw new ApiError(API_NOT_AVAILABLE);
    },
    async mapRemove(request) {
      requireKey(request.key);
      return refuse(request);
    },
    mapReadState: refuse,
    mapReadStream: refuse,
    mapStats: refuse,
    mapClear: refuse,
  };
}

function requireKey(key: string | undefined): void {
  if (key === undefined || key === '') throw new ApiError(API_BAD_REQUEST);
}

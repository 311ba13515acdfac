import type { Broker, PublishRequest as BrokerPublish, PublishResult as Published } from '@carillon/cluster';
import { effectiveDataFormat, isAcceptedPayload, type ChannelFacts } from '@carillon/policy';
import type { PublishRequest, PublishResult } from '@carillon/protocol/api';
import { API_BAD_REQUEST, ApiError } from '@carillon/protocol/codes';
import { EMPTY_RESULT } from './empty-result.ts';
import { retentionOf } from './request/channel-lookup.ts';
import type { FollowedCall } from './follow/follow-calls.ts';
import type { ChannelSettings } from './method-deps.ts';

const NO_DATA = new Uint8Array(0);

/** What `publish` and each channel of `broadcast` have in common. `data` is already out of base64. */
export interface Publishing {
  readonly broker: Broker;
  readonly channels: ChannelSettings;
  readonly options: Omit<PublishRequest, 'channel'>;
  readonly data: Uint8Array | undefined;
  /** Undefined: nobody follows. */
  readonly call: FollowedCall | undefined;
}

/** Checks the payload against the namespace (throws error 107) and publishes. Not async: a promise more is work. */
export function publishTo(channel: ChannelFacts, publishing: Publishing): Promise<Published> {
  const { broker, channels, call, data = NO_DATA } = publishing;
  const format = effectiveDataFormat(channel.options.publicationDataFormat, channels.dataFormat);
  if (!isAcceptedPayload(format, data)) throw new ApiError(API_BAD_REQUEST);
  const request = brokerPublish(channel, data, publishing);
  return call === undefined ? broker.publish(request) : publishFollowed(request, broker, call);
}

/** What is answered to whoever published. */
export function publishResult({ position }: Published): PublishResult {
  return position.offset === 0 && position.epoch === '' ? EMPTY_RESULT : position;
}

async function publishFollowed(request: BrokerPublish, broker: Broker, call: FollowedCall): Promise<Published> {
  const followed = call.startPublish(request.channel, request.retention !== undefined);
  try {
    const result = await broker.publish({ ...request, trace: followed.trace });
    followed.published(result);
    return result;
  } catch (error) {
    followed.failed(error);
    throw error;
  }
}

function brokerPublish(channel: ChannelFacts, data: Uint8Array, { channels, options }: Publishing): BrokerPublish {
  const retention = retentionOf(channel.options, channels);
  const isKept = options.skipHistory !== true;
  return {
    channel: channel.name,
    data,
    info: undefined,
    tags: options.tags,
    retention: isKept ? retention : undefined,
    streamRetention: isKept ? undefined : retention,
    idempotencyKey: options.idempotencyKey,
    version: options.version,
    versionEpoch: options.versionEpoch,
    delta: options.delta === true || channel.options.deltaPublish,
  };
}

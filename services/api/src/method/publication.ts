import type { Broker, PublishRequest as BrokerPublish } from '@carillon/cluster';
import { effectiveDataFormat, isAcceptedPayload, type ChannelFacts } from '@carillon/policy';
import type { PublishRequest, PublishResult } from '@carillon/protocol/api';
import { API_BAD_REQUEST, ApiError } from '@carillon/protocol/codes';
import { retentionOf } from './request/channel-lookup.ts';
import type { ChannelSettings } from './method-deps.ts';

const NO_DATA = new Uint8Array(0);

/** What `publish` and each channel of `broadcast` have in common. `data` is already out of base64. */
export interface Publishing {
  readonly broker: Broker;
  readonly channels: ChannelSettings;
  readonly options: Omit<PublishRequest, 'channel'>;
  readonly data: Uint8Array | undefined;
}

/** Checks the payload against the namespace (error 107) and publishes. */
export async function publishTo(channel: ChannelFacts, publishing: Publishing): Promise<PublishResult> {
  const { broker, channels, data = NO_DATA } = publishing;
  const format = effectiveDataFormat(channel.options.publicationDataFormat, channels.dataFormat);
  if (!isAcceptedPayload(format, data)) throw new ApiError(API_BAD_REQUEST);
  const { position } = await broker.publish(brokerPublish(channel, data, publishing));
  return position;
}

function brokerPublish(channel: ChannelFacts, data: Uint8Array, { channels, options }: Publishing): BrokerPublish {
  return {
    channel: channel.name,
    data,
    info: undefined,
    tags: options.tags,
    retention: options.skipHistory === true ? undefined : retentionOf(channel.options, channels),
    idempotencyKey: options.idempotencyKey,
    version: options.version,
    versionEpoch: options.versionEpoch,
    delta: options.delta === true || channel.options.deltaPublish,
  };
}

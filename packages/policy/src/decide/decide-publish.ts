import type { PublicationDataFormat } from '@carillon/protocol/channel';
import { BAD_REQUEST, NOT_AVAILABLE, PERMISSION_DENIED } from '@carillon/protocol/codes';

import type { ChannelFacts } from '../channel/channel-rules.ts';
import { isPermitted, refuseName, type Asker, type ChannelStanding } from './permission.ts';
import { effectiveDataFormat, isAcceptedPayload } from '../channel/publication-data-format.ts';
import { refuse, type Refusal } from './refusal.ts';
import { isMapType } from '../channel/subscription-type.ts';

export interface PublishQuestion {
  readonly name: string;
  readonly channel: ChannelFacts | undefined;
  readonly data: Uint8Array;
  readonly asker: Asker;
  readonly standing: ChannelStanding;
  /** `channel.publication_data_format`. */
  readonly defaultDataFormat: PublicationDataFormat;
}

export type PublishVerdict =
  | { readonly kind: 'allow' }
  | { readonly kind: 'ask_proxy'; readonly proxyName: string }
  /** Goes into this client's bidirectional stream; 108 where it has none. */
  | { readonly kind: 'ask_stream' }
  | Refusal;

/** An ordinary client publish (tokens.md §8.2). */
export function decidePublish({
  name,
  channel,
  data,
  asker,
  standing,
  defaultDataFormat,
}: PublishQuestion): PublishVerdict {
  const refusal = refuseName(name, channel);
  if (refusal !== undefined) return refusal;
  if (channel === undefined) return refuse(PERMISSION_DENIED);
  const { options } = channel;
  if (!isAcceptedPayload(effectiveDataFormat(options.publicationDataFormat, defaultDataFormat), data)) {
    return refuse(BAD_REQUEST);
  }
  // A publication without a key would reach subscribers of a map and leave its state as it was (client-protocol §7.8).
  if (isMapType(options.subscriptionType)) return refuse(BAD_REQUEST);
  if (options.publishProxyEnabled) return { kind: 'ask_proxy', proxyName: options.publishProxyName };
  if (options.subscribeStreamProxyEnabled) {
    return options.subscribeStreamProxyBidirectional ? { kind: 'ask_stream' } : refuse(NOT_AVAILABLE);
  }
  const flags = {
    forClient: options.allowPublishForClient,
    forSubscriber: options.allowPublishForSubscriber,
    forAnonymous: options.allowPublishForAnonymous,
  };
  if (isPermitted(asker, standing, flags, { operation: 'pub', channel: name })) return { kind: 'allow' };
  return refuse(PERMISSION_DENIED);
}

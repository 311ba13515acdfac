import type { MapClientKey, MapOptions } from '@carillon/protocol/channel';
import { BAD_REQUEST, PERMISSION_DENIED } from '@carillon/protocol/codes';

import type { ChannelFacts } from '../channel/channel-rules.ts';
import { isPermitted, refuseName, type Asker, type ChannelStanding, type OperationFlags } from './permission.ts';
import { refuse, type Refusal } from './refusal.ts';
import { isMapType } from '../channel/subscription-type.ts';

export interface MapWriteQuestion {
  readonly name: string;
  readonly channel: ChannelFacts | undefined;
  readonly asker: Asker;
  readonly standing: ChannelStanding;
  /** Client ID of the connection: the key where `map.client_key` is `client_id`. */
  readonly client: string;
  /** As the client sent it; empty where it did not. */
  readonly key: string;
}

export type MapWriteVerdict =
  /** `key` is the effective one. */
  | { readonly kind: 'allow'; readonly key: string }
  | { readonly kind: 'ask_proxy'; readonly proxyName: string }
  | Refusal;

/** A map publish of a client (tokens.md §8.5, client-protocol.md §7.8). The payload format is not enforced on maps. */
export function decideMapPublish(question: MapWriteQuestion): MapWriteVerdict {
  return decideMapWrite(question, (map) => ({
    proxyName: map.publishProxyEnabled ? map.publishProxyName : undefined,
    flags: {
      forClient: map.allowPublishForClient,
      forSubscriber: map.allowPublishForSubscriber,
      forAnonymous: map.allowPublishForAnonymous,
    },
  }));
}

/** A map remove of a client: as publish, with its own flags. */
export function decideMapRemove(question: MapWriteQuestion): MapWriteVerdict {
  return decideMapWrite(question, (map) => ({
    proxyName: map.removeProxyEnabled ? map.removeProxyName : undefined,
    flags: {
      forClient: map.allowRemoveForClient,
      forSubscriber: map.allowRemoveForSubscriber,
      forAnonymous: map.allowRemoveForAnonymous,
    },
  }));
}

function decideMapWrite(
  question: MapWriteQuestion,
  pick: (map: MapOptions) => { proxyName: string | undefined; flags: OperationFlags },
): MapWriteVerdict {
  const { name, channel, asker, standing } = question;
  const refusal = refuseName(name, channel);
  if (refusal !== undefined) return refusal;
  if (channel === undefined || !isMapType(channel.options.subscriptionType)) return refuse(BAD_REQUEST);
  const { proxyName, flags } = pick(channel.options.map);
  if (proxyName !== undefined) return { kind: 'ask_proxy', proxyName };
  if (!isPermitted(asker, standing, flags, { operation: 'pub', channel: name })) return refuse(PERMISSION_DENIED);
  return decideKey(question, channel.options.map.clientKey);
}

function decideKey({ asker, client, key }: MapWriteQuestion, clientKey: MapClientKey): MapWriteVerdict {
  switch (clientKey) {
    case 'client_id':
      return { kind: 'allow', key: client };
    case 'user_id':
      return asker.user === '' ? refuse(PERMISSION_DENIED) : { kind: 'allow', key: asker.user };
    default:
      return key === '' ? refuse(BAD_REQUEST) : { kind: 'allow', key };
  }
}

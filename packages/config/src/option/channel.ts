import type { ChannelOptions } from '@carillon/protocol/channel';
import { channelOptionFields } from './channel-options.ts';
import { duration, type FieldsOf, group, type GroupField, int, namedItems, oneOf, text } from './field.ts';
import { proxy, type ProxyConfig } from './proxy.ts';

/** An entry of `channel.namespaces`. */
export interface ChannelNamespace extends ChannelOptions {
  readonly name: string;
}

/** The `default` proxy for each channel event. */
export interface ChannelProxies {
  readonly subscribe: ProxyConfig;
  readonly publish: ProxyConfig;
  readonly subRefresh: ProxyConfig;
  readonly subscribeStream: ProxyConfig;
  readonly mapPublish: ProxyConfig;
  readonly mapRemove: ProxyConfig;
  readonly sharedPollRefresh: ProxyConfig;
}

/** `channel` (channels-and-config.md 1.5.7). */
export interface ChannelConfig {
  readonly namespaces: readonly ChannelNamespace[];
  readonly withoutNamespace: ChannelOptions;
  readonly proxy: ChannelProxies;
  readonly historyMetaTtlMs: number;
  readonly publicationDataFormat: string;
  readonly maxLength: number;
  readonly privatePrefix: string;
  readonly namespaceBoundary: string;
  readonly userBoundary: string;
  readonly userSeparator: string;
}

export const channel: GroupField<FieldsOf<ChannelConfig>> = group('Channels and namespaces.', {
  namespaces: namedItems('Namespaces.', {
    name: text('Name: `[-a-zA-Z0-9_.]{2,}`, unique.'),
    ...channelOptionFields,
  }),
  withoutNamespace: group('Options of channels without a namespace.', channelOptionFields),
  proxy: group('The `default` proxy for each event.', {
    subscribe: proxy('Subscribe attempts.'),
    publish: proxy('Client publications.'),
    subRefresh: proxy('Refresh of expiring subscriptions.'),
    subscribeStream: proxy('Subscription streams (GRPC only).'),
    mapPublish: proxy('Map writes.'),
    mapRemove: proxy('Map removals.'),
    sharedPollRefresh: proxy('Shared polls.'),
  }),
  historyMetaTtlMs: duration('How long epoch and offset of a channel are kept.', '720h'),
  publicationDataFormat: oneOf('What publications may hold.', '', ['', 'json', 'json_object', 'binary']),
  maxLength: int('Longest channel name a client may subscribe to, in bytes.', 255, { min: 0 }),
  privatePrefix: text('First character of channels that need a subscription token.', '$'),
  namespaceBoundary: text('Ends the namespace part of a channel name.', ':'),
  userBoundary: text('Starts the user list of a channel name.', '#'),
  userSeparator: text('Separates users in that list.', ','),
});

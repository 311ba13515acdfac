import { DEFAULT_CHANNEL_OPTIONS } from '@carillon/protocol/channel';
import { expect, test } from 'vitest';
import { channelResolver, RESOLVER_CACHE_CHANNELS } from './channel-resolver.ts';
import { defaultConfig } from './load-config.ts';
import { loadValue } from './load-fixture.ts';

const { config } = loadValue({ channel: { namespaces: [{ name: 'chat', presence: true }] } });

test('a name finds the options of its namespace', () => {
  const resolve = channelResolver(config);
  expect(resolve('chat:a:b')).toMatchObject({
    namespace: 'chat',
    rest: 'a:b',
    isPrivate: false,
    options: { presence: true },
  });
  expect(resolve('$chat:a')).toMatchObject({ namespace: 'chat', rest: 'a', isPrivate: true });
  expect(resolve('news')).toMatchObject({ namespace: '', rest: 'news', options: { presence: false } });
  expect(resolve(':x')).toMatchObject({ namespace: '', rest: 'x' });
  expect(resolve('unknown:x')).toBeUndefined();
  expect(resolve('__proto__:x')).toBeUndefined();
});

test('names are remembered up to a bound', () => {
  const resolve = channelResolver(config);
  const first = resolve('chat:first');
  expect(resolve('chat:first')).toBe(first);
  for (let index = 0; index < RESOLVER_CACHE_CHANNELS; index++) resolve(`chat:${index}`);
  expect(resolve('chat:first')).not.toBe(first);
  expect(resolve('chat:first')).toEqual(first);
});

test('the defaults of the table are those of the protocol', () => {
  expect(defaultConfig().channel.withoutNamespace).toEqual(DEFAULT_CHANNEL_OPTIONS);
});

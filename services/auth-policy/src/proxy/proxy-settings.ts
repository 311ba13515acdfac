import type { Config } from '@carillon/config';

/** The part of the configuration that names backends. */
export interface ProxySettings {
  readonly client: Config['client']['proxy'];
  readonly channel: Pick<Config['channel'], 'namespaces' | 'withoutNamespace' | 'proxy'>;
  readonly rpc: Config['rpc'];
  readonly proxies: Config['proxies'];
}

export function proxySettings({ client, channel, rpc, proxies }: Config): ProxySettings {
  return { client: client.proxy, channel, rpc, proxies };
}

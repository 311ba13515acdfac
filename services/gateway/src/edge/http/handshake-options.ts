import type { EdgeContext } from '../edge-context.ts';
import type { HandshakeOptions } from './handshake-request.ts';

/** What is kept of a request that comes now. */
export function handshakeOptions({ settings, kept }: EdgeContext): HandshakeOptions {
  const { trustedProxyHops, proxyProtocol } = settings;
  return { trustedProxyHops, proxyProtocol, keptHeaders: kept().keptHeaders };
}

import type { TransportName } from 'centrifuge';

import { EventSource } from './event-source.ts';
import {
  openOfficialClient,
  type Encoding,
  type OfficialClient,
  type OfficialClientOptions,
} from './official-client.ts';

/** Every transport of the official client with the encodings that it can carry. */
export const TRANSPORTS: readonly { readonly transport: TransportName; readonly encoding: Encoding }[] = [
  { transport: 'websocket', encoding: 'json' },
  { transport: 'websocket', encoding: 'protobuf' },
  { transport: 'http_stream', encoding: 'json' },
  { transport: 'http_stream', encoding: 'protobuf' },
  { transport: 'sse', encoding: 'json' },
];

export interface TransportClientOptions extends Omit<Partial<OfficialClientOptions>, 'url'> {
  readonly transport: TransportName;
  /** One address for streams, WebSockets and commands: a server, or a front before several. */
  readonly port: number;
}

/** The official client over one transport. */
export function openTransportClient({ transport, port, ...options }: TransportClientOptions): OfficialClient {
  const scheme = transport === 'websocket' ? 'ws' : 'http';
  return openOfficialClient({
    url: [{ transport, endpoint: `${scheme}://127.0.0.1:${port}/connection/${transport}` }],
    emulationEndpoint: `http://127.0.0.1:${port}/emulation`,
    eventsource: EventSource,
    ...options,
  });
}

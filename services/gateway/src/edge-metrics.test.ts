import { createMetrics } from '@carillon/service-kit';
import { afterEach, describe, expect, it } from 'vitest';
import { createEdgeMetrics } from './edge-metrics.ts';
import { bytes, startEdge, type TestEdge } from './edge/fixture/start-edge.ts';
import { connectWs } from './edge/fixture/ws-client.ts';

let edge: TestEdge | undefined;
afterEach(() => edge?.close());

describe('metrics of the edge', () => {
  it('count messages and bytes by what they are, connections, close frames and refusals by transport', async () => {
    const metrics = createMetrics({ prefix: 'carillon', withProcessMetrics: false });
    const observer = createEdgeMetrics(metrics);
    edge = await startEdge({
      settings: { connectionLimit: 2 },
      observer,
      onAccept: ({ socket }) => socket.subscribe('t'),
      onFrame: ({ socket }) => {
        socket.send(bytes('{}'), 'connect');
        edge?.server.publisher.publish('t', bytes('{"a":1}'), {
          form: 'json',
          frameType: 'push_publication',
          receivers: 2,
        });
        socket.close(3503, 'force disconnect');
      },
    });
    const url = `${edge.wsUrl}/connection/websocket`;
    const [one, other] = [connectWs(url), connectWs(url)];
    await Promise.all([one.opened, other.opened]);
    await expect(connectWs(url).opened).rejects.toThrow('the handshake failed');
    one.socket.send('abc');
    observer.onReceived('websocket', 'connect', 3);
    await one.closed;
    const { body } = await metrics.render();
    const value = (name: string): string | undefined =>
      body
        .split('\n')
        .find((line) => line.startsWith(`carillon_${name} `))
        ?.split(' ')
        .pop();
    expect({
      received: value('transport_messages_received{transport="websocket",frame_type="connect"}'),
      receivedBytes: value('transport_messages_received_size{transport="websocket",frame_type="connect"}'),
      sent: value('transport_messages_sent{transport="websocket",frame_type="connect"}'),
      sentBytes: value('transport_messages_sent_size{transport="websocket",frame_type="connect"}'),
      published: value('transport_messages_sent{transport="websocket",frame_type="push_publication"}'),
      publishedBytes: value('transport_messages_sent_size{transport="websocket",frame_type="push_publication"}'),
      closes: value('transport_outgoing_close_count{transport="websocket",code="3503"}'),
      refused: value('node_client_connection_limit'),
    }).toEqual({
      received: '1',
      receivedBytes: '3',
      sent: '1',
      sentBytes: '2',
      published: '2',
      publishedBytes: '14',
      closes: '1',
      refused: '1',
    });
  });
});

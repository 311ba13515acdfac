import { expect } from 'vitest';

import { eventually } from '../../harness/eventually.ts';
import { Fields, field, frame, message, splitFrame } from '../../harness/protobuf-fields.ts';
import { row, rowFor, type Scenario } from '../scenario.ts';
import type { Trial } from '../trial.ts';

const connectCommand = (trial: Trial, id = 1): Record<string, unknown> => ({ id, connect: trial.connectRequest() });

const connectMessage = (trial: Trial): Uint8Array => message(field(1, 1), field(4, message(field(1, trial.token()))));

async function speaksProtobuf(trial: Trial, query: string | undefined, protocols: string[] = []): Promise<void> {
  const socket = await trial.socket({ query, protocols });
  expect(socket.protocol).toBe(protocols[0] ?? '');
  socket.send(frame(connectMessage(trial)));
  const answer = await socket.nextFrame();
  expect(answer).toBeInstanceOf(Buffer);
  const [reply] = splitFrame(Buffer.from(answer)).map((bytes) => new Fields(bytes));
  expect(reply?.number(1)).toBe(1);
  expect(reply?.message(5).text(1)).toMatch(/^[0-9a-f-]{36}$/);
}

async function speaksJson(trial: Trial, query: string | undefined, protocols: string[] = []): Promise<void> {
  const socket = await trial.socket({ query, protocols });
  expect(socket.protocol).toBe(protocols[0] ?? '');
  socket.send(JSON.stringify(connectCommand(trial)));
  const answer = await socket.nextFrame();
  expect(answer).toBeTypeOf('string');
  expect(JSON.parse(String(answer))).toMatchObject({ id: 1, connect: {} });
}

/** A connected client sends the frame and is closed with 3501. */
const breaksOn =
  (bad: string | Uint8Array) =>
  async (trial: Trial): Promise<void> => {
    const client = await trial.connect();
    client.socket.send(bad);
    expect(await client.closed()).toEqual({ code: 3501, reason: 'bad request' });
  };

export const framing: readonly Scenario[] = [
  row('client 1', 'a WebSocket without wishes speaks JSON in text frames', (t) => speaksJson(t, undefined)),
  row('client 2', 'cf_protocol=protobuf speaks Protobuf in binary frames', (t) =>
    speaksProtobuf(t, 'cf_protocol=protobuf'),
  ),
  row('client 3', 'format=protobuf speaks Protobuf', (t) => speaksProtobuf(t, 'format=protobuf')),
  row('client 4', 'the subprotocol centrifuge-protobuf is echoed and used', (t) =>
    speaksProtobuf(t, undefined, ['centrifuge-protobuf']),
  ),
  row('client 5', 'the subprotocol centrifuge-json is echoed and used', (t) =>
    speaksJson(t, undefined, ['centrifuge-json']),
  ),
  row('client 6', 'cf_protocol_version is ignored', (t) => speaksJson(t, 'cf_protocol_version=v1')),
  row('client 7', 'commands of one frame are all answered, connect first', async (t) => {
    const socket = await t.socket();
    const commands = [
      connectCommand(t),
      { id: 2, subscribe: { channel: t.channel('', 'a') } },
      { id: 3, subscribe: { channel: t.channel('', 'b') } },
    ];
    socket.send(commands.map((command) => JSON.stringify(command)).join('\n'));
    const replies: { id: number }[] = [];
    while (replies.length < 3) {
      replies.push(
        ...String(await socket.nextFrame())
          .split('\n')
          .map((line) => JSON.parse(line) as { id: number }),
      );
    }
    expect(replies.map(({ id }) => id)).toEqual([1, 2, 3]);
    expect(replies[2]).toEqual({ id: 3, subscribe: {} });
  }),
  row('client 8', 'one newline at the end of a frame is accepted', async (t) => {
    const client = await t.open();
    const reply = client.reply(1);
    client.socket.send(`${JSON.stringify(connectCommand(t))}\n`);
    expect(await reply).toMatchObject({ id: 1, connect: {} });
    expect(await client.subscribe(t.channel())).toEqual({ id: 2, subscribe: {} });
  }),
  row(
    'client 9',
    'an empty line between commands closes with 3501',
    breaksOn('{"id":7,"unsubscribe":{"channel":"x"}}\n\n{}'),
  ),
  row('client 10', 'an empty frame closes with 3501', breaksOn('')),
  row('client 11', 'half a command closes with 3501', breaksOn('{"id":1,')),
  row('client 11b', 'text that is no JSON closes with 3501', breaksOn('hello')),
  row('client 11c', 'JSON that is no object closes with 3501', breaksOn('[1,2]')),
  row('client 11d', 'a field of the wrong type closes with 3501', breaksOn('{"id":2,"subscribe":{"channel":5}}')),
  row(
    'client 11e',
    'binary garbage on a JSON connection closes with 3501',
    breaksOn(Buffer.from([0xff, 0x00, 0xfe, 0x80])),
  ),
  row('client 12', 'a Protobuf length beyond the frame closes with 3501', async (t) => {
    const socket = await t.socket({ query: 'cf_protocol=protobuf' });
    socket.send(Buffer.from([0x7f, 0x08, 0x01]));
    expect(await socket.closed()).toEqual({ code: 3501, reason: 'bad request' });
  }),
  row('client 12b', 'Protobuf garbage closes with 3501', async (t) => {
    const socket = await t.socket({ query: 'cf_protocol=protobuf' });
    socket.send(Buffer.from([0x03, 0xff, 0xff, 0xff]));
    expect(await socket.closed()).toMatchObject({ code: 3501 });
  }),
  row('client 12c', 'an empty Protobuf frame closes with 3501', async (t) => {
    const socket = await t.socket({ query: 'cf_protocol=protobuf' });
    socket.send(Buffer.alloc(0));
    expect(await socket.closed()).toMatchObject({ code: 3501 });
  }),
  row('client 13', 'commands before a broken one are processed', async (t) => {
    const client = await t.connect();
    const reply = client.reply(5);
    client.socket.send(`{"id":5,"subscribe":{"channel":"${t.channel()}"}}\n{"id":6,`);
    expect(await reply).toEqual({ id: 5, subscribe: {} });
    expect(await client.closed()).toMatchObject({ code: 3501 });
  }),
  row('client 14', 'a frame over 65,536 bytes closes with 1009', async (t) => {
    const client = await t.connect();
    client.socket.send(`{"id":2,"publish":{"channel":"x","data":"${'x'.repeat(70_000)}"}}`);
    expect(await client.closed()).toMatchObject({ code: 1009 });
  }),
  row('client 14b', 'a frame of just 65,536 bytes is taken', async (t) => {
    const client = await t.connect();
    const head = `{"id":2,"publish":{"channel":"${t.channel()}","data":"`;
    const reply = client.reply(2);
    client.socket.send(`${head}${'x'.repeat(65_536 - head.length - 3)}"}}`);
    expect(await reply).toEqual({ id: 2, publish: {} });
  }),
  rowFor('limits', 'client 14c', 'websocket.message_size_limit sets the limit', async (t) => {
    const client = await t.connect();
    client.socket.send(`{"id":2,"publish":{"channel":"x","data":"${'x'.repeat(1_100)}"}}`);
    expect(await client.closed()).toMatchObject({ code: 1009 });
  }),
  rowFor('limits', 'client 15', 'a compressed frame that expands beyond the limit closes the connection', async (t) => {
    const client = await t.connect({ deflate: true });
    client.socket.send(`{"id":2,"publish":{"channel":"${t.channel()}","data":"${'x'.repeat(50_000)}"}}`);
    expect([1006, 1009]).toContain((await client.closed()).code);
  }),
  rowFor(
    'timers',
    'client 16',
    'cf_ws_frame_ping_pong=true uses control pings instead of application pings',
    async (t) => {
      const client = await t.connect({ query: 'cf_ws_frame_ping_pong=true' });
      expect(client.connected).not.toHaveProperty('ping');
      expect(client.connected).not.toHaveProperty('pong');
      await eventually(() => expect(client.socket.controlPings).toBeGreaterThan(0), 5_000);
      expect(client.pings).toBe(0);
    },
  ),
  row('client 17', 'a server disconnect is a close frame with code and reason, without a push', async (t) => {
    const client = await t.connect();
    await t.result('disconnect', { user: t.user });
    expect(await client.closed()).toEqual({ code: 3503, reason: 'force disconnect' });
    expect(client.pushes).toEqual([]);
  }),
  row('client 18', 'an upgrade from an origin that is not allowed gets 403', async (t) => {
    await expect(t.socket({ headers: { Origin: 'http://bad.example' } })).rejects.toMatchObject({ status: 403 });
  }),
  row('client 18a', 'requests that are no upgrade get 400 in words, whatever their method', async (t) => {
    for (const method of ['GET', 'POST', 'PUT', 'OPTIONS']) {
      const { status, text, headers } = await t.http('/connection/websocket', { method });
      expect([status, text, headers.get('sec-websocket-version')], method).toEqual([400, 'Bad Request\n', '13']);
    }
  }),
  row('client 18b', 'an upgrade from an allowed origin or pattern is taken', async (t) => {
    await t.socket({ headers: { Origin: 'http://good.example' } });
    await t.socket({ headers: { Origin: 'https://Any.GOOD.example' } });
  }),
  rowFor('insecure', 'client 19', 'with an empty list only upgrades without an Origin pass', async (t) => {
    await t.socket();
    await expect(t.socket({ headers: { Origin: 'http://good.example' } })).rejects.toMatchObject({ status: 403 });
  }),
  rowFor('anonymous', 'client 19b', 'the origin * allows all', async (t) => {
    await t.socket({ headers: { Origin: 'http://whatever.example' } });
  }),
];

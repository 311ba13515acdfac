import { describe, expect, it } from 'vitest';
import { ProtocolViolation } from '../codes/protocol-violation.ts';
import { BAD_REQUEST, CLIENT_ERRORS } from '../codes/client-errors.ts';
import { codecFor, decodeReplies, encodeCommand, encodeCommands } from './client-side.ts';
import type { ClientCodec } from './codec.ts';
import { decodeConnectRequest, decodeEmulationRequest, emulationFrame } from './emulation.ts';
import type { Command, Push, Reply } from './frames.ts';
import { encodeHistoryReply } from './history-frame.ts';
import { jsonCodec } from './json-codec.ts';
import { protobufCodec } from './protobuf-codec.ts';
import { encodePublicationPush } from './push-frame.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (value: Uint8Array | undefined): string => new TextDecoder().decode(value);
const hex = (value: Uint8Array): string => Buffer.from(value).toString('hex');
const unhex = (value: string): Uint8Array => new Uint8Array(Buffer.from(value.replaceAll(' ', ''), 'hex'));
const jsonCommands = (frame: string): Command[] => [...jsonCodec.commands(bytes(frame))];

/** What a frame yields before it turns out to be malformed. */
function beforeViolation(codec: ClientCodec, frame: Uint8Array): Command[] {
  const commands: Command[] = [];
  expect(() => {
    for (const command of codec.commands(frame)) commands.push(command);
  }).toThrow(ProtocolViolation);
  return commands;
}

describe('Protobuf examples of client-protocol.md §2.2', () => {
  const commands: [string, Command][] = [
    ['04 08 01 22 00', { id: 1, connect: {} }],
    ['07 08 02 2a 03 0a 01 61', { id: 2, subscribe: { channel: 'a' } }],
    ['00', {}],
  ];
  const replies: [string, Reply][] = [
    ['0d 22 0b 12 01 61 22 06 22 02 7b 7d 30 01', { push: { channel: 'a', pub: { data: bytes('{}'), offset: 1 } } }],
    ['09 08 03 12 05 08 67 12 01 78', { id: 3, error: { code: 103, message: 'x' } }],
  ];

  it.each(commands)('%s is a command', (example, command) => {
    expect(hex(encodeCommand('protobuf', command))).toBe(example.replaceAll(' ', ''));
    expect([...protobufCodec.commands(unhex(example))]).toEqual([command]);
  });

  it.each(replies)('%s is a reply', (example, reply) => {
    expect(hex(protobufCodec.encodeReply(reply))).toBe(example.replaceAll(' ', ''));
    expect(decodeReplies('protobuf', unhex(example))).toEqual([reply]);
  });

  it('00 is the ping', () => {
    expect(hex(protobufCodec.ping)).toBe('00');
    expect(protobufCodec.encodeReply({})).toEqual(protobufCodec.ping);
    expect(protobufCodec.encodePush({})).toEqual(new Uint8Array(0));
  });
});

describe('JSON examples of client-protocol.md §2.10', () => {
  const commands: [string, Command][] = [
    ['{"id":1,"connect":{"token":"jwt","name":"js"}}', { id: 1, connect: { token: 'jwt', name: 'js' } }],
    [
      '{"id":2,"subscribe":{"channel":"news","recoverable":true,"flag":1}}',
      { id: 2, subscribe: { channel: 'news', recoverable: true, flag: 1 } },
    ],
    ['{}', {}],
  ];
  const replies: [string, Reply][] = [
    [
      '{"id":1,"connect":{"client":"f2","version":"6.9.1 OSS","ping":25,"pong":true}}',
      { id: 1, connect: { client: 'f2', version: '6.9.1 OSS', ping: 25, pong: true } },
    ],
    [
      '{"id":2,"subscribe":{"recoverable":true,"epoch":"xyzw","offset":5,"positioned":true}}',
      { id: 2, subscribe: { recoverable: true, epoch: 'xyzw', offset: 5, positioned: true } },
    ],
    [
      '{"push":{"channel":"news","pub":{"data":{"a":1},"offset":6}}}',
      { push: { channel: 'news', pub: { data: bytes('{"a":1}'), offset: 6 } } },
    ],
    [
      '{"id":3,"error":{"code":103,"message":"permission denied"}}',
      { id: 3, error: { code: 103, message: 'permission denied' } },
    ],
    [
      '{"id":3,"error":{"code":100,"message":"internal server error","temporary":true}}',
      { id: 3, error: { code: 100, message: 'internal server error', temporary: true } },
    ],
    [
      '{"push":{"channel":"news","unsubscribe":{"code":2500,"reason":"insufficient state"}}}',
      { push: { channel: 'news', unsubscribe: { code: 2500, reason: 'insufficient state' } } },
    ],
    [
      '{"push":{"disconnect":{"code":3005,"reason":"connection expired"}}}',
      { push: { disconnect: { code: 3005, reason: 'connection expired' } } },
    ],
    ['{"push":{"message":{"data":{"x":1}}}}', { push: { message: { data: bytes('{"x":1}') } } }],
    ['{}', {}],
  ];
  const uniConnect: Push = { connect: { client: 'f2', version: '6.9.1 OSS', ping: 25, session: '9a' } };

  it.each(commands)('%s is a command', (example, command) => {
    expect(text(encodeCommand('json', command))).toBe(example);
    expect(jsonCommands(example)).toEqual([command]);
  });

  it.each(replies)('%s is a reply', (example, reply) => {
    expect(text(jsonCodec.encodeReply(reply))).toBe(example);
    expect(decodeReplies('json', bytes(example))).toEqual([reply]);
  });

  it('is a bare push on a unidirectional transport', () => {
    expect(text(jsonCodec.encodePush(uniConnect))).toBe(
      '{"connect":{"client":"f2","version":"6.9.1 OSS","ping":25,"session":"9a"}}',
    );
    expect(jsonCodec.encodePush({})).toEqual(jsonCodec.ping);
  });
});

describe('framing (checklist 7 to 13)', () => {
  it('reads three commands separated by newlines in order', () => {
    const frame = '{"id":1,"connect":{}}\n{"id":2,"subscribe":{"channel":"a"}}\n{"id":3,"subscribe":{"channel":"b"}}';
    expect(jsonCommands(frame).map((command) => command.id)).toEqual([1, 2, 3]);
    const same = encodeCommands('protobuf', jsonCommands(frame));
    expect([...protobufCodec.commands(same)]).toEqual(jsonCommands(frame));
  });

  it('allows one trailing newline', () => {
    expect(jsonCommands('{"id":1,"connect":{}}\n')).toEqual([{ id: 1, connect: {} }]);
  });

  it.each(['{}\n\n{}', '{}\n\n', '\n', '\n{}', ' ', '', '{"id":1,', '[]', '1', '"x"', 'nul'])(
    'refuses the JSON frame %j',
    (frame) => {
      expect(() => jsonCommands(frame)).toThrow(ProtocolViolation);
    },
  );

  it.each(['', '05 08 01', '80', 'ff ff ff ff ff ff ff ff ff ff 01', '02 08 80', '02 00 00', '02 0f 00', '02 0a 01'])(
    'refuses the Protobuf frame %j',
    (frame) => {
      expect(() => [...protobufCodec.commands(unhex(frame))]).toThrow(ProtocolViolation);
    },
  );

  it('yields the commands before a malformed one first', () => {
    expect(beforeViolation(jsonCodec, bytes('{"id":1,"connect":{}}\n{"id":'))).toEqual([{ id: 1, connect: {} }]);
    expect(beforeViolation(protobufCodec, unhex('04 08 01 22 00 7f'))).toEqual([{ id: 1, connect: {} }]);
  });

  it('ignores what follows the first value of a line, like the reference', () => {
    expect(jsonCommands('{"id":1,"connect":{}} trailing')).toEqual([{ id: 1, connect: {} }]);
  });

  it('joins messages with a newline in JSON and with nothing in Protobuf', () => {
    const join = (kind: 'json' | 'protobuf', count: number): string => {
      const messages = Array.from({ length: count }, () => codecFor(kind).ping);
      return hex(codecFor(kind).joinFrame(messages));
    };
    expect(join('json', 1)).toBe(hex(bytes('{}')));
    expect(join('json', 3)).toBe(hex(bytes('{}\n{}\n{}')));
    expect(join('protobuf', 3)).toBe('000000');
    expect(join('json', 0)).toBe('');
  });
});

describe('commands (checklist 77 to 80, 87)', () => {
  it('keeps what the dispatch rules need to see', () => {
    expect(jsonCommands('{"id":5}')).toEqual([{ id: 5 }]);
    expect(jsonCommands('{"id":5,"ping":{}}')).toEqual([{ id: 5, ping: {} }]);
    const both = jsonCommands('{"id":5,"rpc":{"method":"m"},"publish":{"channel":"a"}}')[0];
    expect(both?.rpc).toEqual({ method: 'm' });
    expect(both?.publish).toEqual({ channel: 'a' });
  });

  it('ignores unknown fields of any type', () => {
    const unknown =
      '{"x":{"y":[1,{"z":null}]},"id":5,"later":"","subscribe":{"channel":"a","profile":[true]},"a":-1.5e3}';
    expect(jsonCommands(unknown)).toEqual([{ id: 5, subscribe: { channel: 'a' } }]);
    // Fields 100 (varint), 101 (64 bits), 102 (bytes) and 103 (32 bits) around id 5.
    const frame = unhex('19 a006 01 a906 0000000000000000 b206 01 61 08 05 bd06 00000000');
    expect([...protobufCodec.commands(frame)]).toEqual([{ id: 5 }]);
  });

  it('writes `temporary` for 100, 111 and 113 only', () => {
    const temporary = CLIENT_ERRORS.filter((row) =>
      text(jsonCodec.encodeReply({ id: 1, error: row })).includes('"temporary":true'),
    );
    expect(temporary.map((row) => row.code)).toEqual([100, 111, 113]);
    expect(text(jsonCodec.encodeReply({ id: 1, error: BAD_REQUEST }))).toBe(
      '{"id":1,"error":{"code":107,"message":"bad request"}}',
    );
  });
});

describe('JSON values', () => {
  const rpcData = (frame: string): string | undefined => {
    const data = jsonCommands(frame)[0]?.rpc?.data;
    return data && text(data);
  };

  it.each(['{"a" : 1}', '[1, 2]', '"text\\u00e9"', '-0.5e+10', 'true', 'null', '""', '0', '{"a":{"b":[{}]}}'])(
    'keeps the payload %s as it was written',
    (payload) => {
      expect(rpcData(`{"id":1,"rpc":{"data": ${payload} }}`)).toBe(payload);
    },
  );

  it('tells an absent payload from null', () => {
    expect(rpcData('{"id":1,"rpc":{}}')).toBeUndefined();
    expect(rpcData('{"id":1,"rpc":{"data":null}}')).toBe('null');
  });

  it.each([
    '{"id":"1"}',
    '{"id":1.0}',
    '{"id":1e2}',
    '{"id":-1}',
    '{"id":-0}',
    '{"id":4294967296}',
    '{"id":01}',
    '{"id":true}',
    '{"connect":[]}',
    '{"connect":"x"}',
    '{"subscribe":{"channel":1}}',
    '{"subscribe":{"recover":1}}',
    '{"subscribe":{"recover":"true"}}',
    '{"subscribe":{"type":2147483648}}',
    '{"subscribe":{"offset":-1}}',
    '{"subscribe":{"offset":18446744073709551616}}',
    '{"subscribe":{"offset":"1"}}',
    '{"subscribe":{"tf":{"vals":"a"}}}',
    '{"subscribe":{"tf":{"vals":[1]}}}',
    '{"connect":{"subs":[]}}',
    '{"connect":{"headers":{"a":1}}}',
    '{"subscribe":{"channel":"\u0001"}}',
    '{"subscribe":{"channel":"\\x"}}',
    '{"subscribe":{"channel":"\\u12"}}',
    '{"rpc":{"data":}}',
    '{"rpc":{"data":tru}}',
    '{"rpc":{"data":{"a"}}}',
    '{"rpc":{"data":[1,]}}',
    '{"id":1,}',
  ])('refuses %s', (frame) => {
    expect(() => jsonCommands(frame)).toThrow(ProtocolViolation);
  });

  it('leaves a null field unset and takes the last of equal keys', () => {
    expect(jsonCommands('{"id":null,"connect":null,"subscribe":{"channel":null}}')).toEqual([{ subscribe: {} }]);
    expect(jsonCommands('{"id":1,"id":2}')).toEqual([{ id: 2 }]);
  });

  it('matches keys in any case, an exact match first, escapes included', () => {
    expect(jsonCommands('{"ID":1,"Connect":{"TOKEN":"x"}}')).toEqual([{ id: 1, connect: { token: 'x' } }]);
    expect(jsonCommands('{"\\u0069d":1}')).toEqual([{ id: 1 }]);
  });

  it('clamps 64-bit integers that a number cannot hold', () => {
    const read = (offset: string): number | undefined =>
      jsonCommands(`{"subscribe":{"offset":${offset}}}`)[0]?.subscribe?.offset;
    expect(read('9007199254740991')).toBe(Number.MAX_SAFE_INTEGER);
    expect(read('9007199254740993')).toBe(Number.MAX_SAFE_INTEGER);
    expect(read('18446744073709551615')).toBe(Number.MAX_SAFE_INTEGER);
    const flag = jsonCommands('{"subscribe":{"flag":-9223372036854775808}}')[0]?.subscribe?.flag;
    expect(flag).toBe(Number.MIN_SAFE_INTEGER);
    const everyBit = [...protobufCodec.commands(unhex('0d 2a 0b 38 ff ff ff ff ff ff ff ff ff 01'))];
    expect(everyBit[0]?.subscribe?.offset).toBe(Number.MAX_SAFE_INTEGER);
  });

  it('replaces what is not Unicode', () => {
    const channel = (frame: Uint8Array): string | undefined => [...jsonCodec.commands(frame)][0]?.subscribe?.channel;
    expect(channel(bytes('{"subscribe":{"channel":"\\ud800x"}}'))).toBe('\uFFFDx');
    const invalid = Buffer.concat([bytes('{"subscribe":{"channel":"'), Uint8Array.of(0xff), bytes('"}}')]);
    expect(channel(invalid)).toBe('\uFFFD');
    expect(text(encodeCommand('json', { subscribe: { channel: '\ud800' } }))).toBe(
      '{"subscribe":{"channel":"\uFFFD"}}',
    );
  });

  it('treats keys that objects inherit like any other key', () => {
    const subs = jsonCommands('{"connect":{"subs":{"__proto__":{"offset":1},"constructor":{"offset":2}}}}')[0]?.connect
      ?.subs;
    expect(Object.keys(subs ?? {})).toEqual(['__proto__', 'constructor']);
    expect(subs?.['toString']).toBeUndefined();
    const echoed = [...protobufCodec.commands(encodeCommand('protobuf', { connect: { subs } }))][0]?.connect?.subs;
    expect(Object.keys(echoed ?? {})).toEqual(['__proto__', 'constructor']);
  });

  it('bounds the depth of messages and of payloads', () => {
    const filter = (depth: number): string => '{"nodes":['.repeat(depth) + ']}'.repeat(depth);
    expect(() => jsonCommands(`{"subscribe":{"tf":${filter(90)}}}`)).not.toThrow();
    expect(() => jsonCommands(`{"subscribe":{"tf":${filter(5000)}}}`)).toThrow(ProtocolViolation);
    expect(() => jsonCommands(`{"rpc":{"data":${'['.repeat(9_000)}${']'.repeat(9_000)}}}`)).not.toThrow();
    expect(() => jsonCommands(`{"rpc":{"data":${'['.repeat(10_001)}${']'.repeat(10_001)}}}`)).toThrow(
      ProtocolViolation,
    );
  });

  it('always writes what SDKs rely on', () => {
    const write = (reply: Reply): string => text(jsonCodec.encodeReply(reply));
    expect(write({ id: 1, presence: {} })).toBe('{"id":1,"presence":{"presence":{}}}');
    expect(write({ id: 1, presenceStats: {} })).toBe('{"id":1,"presence_stats":{"num_clients":0,"num_users":0}}');
    expect(write({ id: 1, history: {} })).toBe('{"id":1,"history":{"publications":[],"epoch":"","offset":0}}');
    expect(write({ id: 1, presence: { presence: { c: {} } } })).toBe(
      '{"id":1,"presence":{"presence":{"c":{"user":"","client":""}}}}',
    );
    expect(write({ id: 1, unsubscribe: {} })).toBe('{"id":1,"unsubscribe":{}}');
  });

  it('strips newlines from payloads and nothing else', () => {
    const push = jsonCodec.encodeReply({ push: { channel: 'a', pub: { data: bytes('{\n "a":\r 1\n}') } } });
    expect(text(push)).toBe('{"push":{"channel":"a","pub":{"data":{ "a":\r 1}}}}');
  });

  it('escapes in text what HTML gives a meaning, as the reference server does, and leaves payloads alone', () => {
    const tags = { '<': '\u2028"' };
    const publication = { data: bytes('"<&>\u2029"'), info: { user: 'a&b', client: 'c' }, tags };
    const expected =
      String.raw`{"push":{"channel":"\u003ca\u003e","pub":{"data":"<&>` +
      '\u2029' +
      String.raw`","info":{"user":"a\u0026b","client":"c"},"tags":{"\u003c":"\u2028\""}}}}`;
    expect(text(jsonCodec.encodeReply({ push: { channel: '<a>', pub: publication } }))).toBe(expected);
    const whole = encodePublicationPush('json', '<a>', publication, { dataForm: 'raw', delta: false });
    expect(text(whole)).toBe(expected);
    const inString = encodePublicationPush('json', 'a', { data: bytes('"<"') }, { dataForm: 'string', delta: false });
    expect(text(inString)).toBe(String.raw`{"push":{"channel":"a","pub":{"data":"\"\u003c\""}}}`);
    expect(text(encodeHistoryReply('json', { id: 1, publications: bytes(''), epoch: '<', offset: 0 }))).toBe(
      String.raw`{"id":1,"history":{"publications":[],"epoch":"\u003c","offset":0}}`,
    );
  });

  it('refuses to write a number that the field cannot hold', () => {
    expect(() => jsonCodec.encodeReply({ id: -1 })).toThrow(RangeError);
    expect(() => jsonCodec.encodeReply({ push: { pub: { offset: 2 ** 53 } } })).toThrow(RangeError);
    expect(() => protobufCodec.encodeReply({ push: { pub: { offset: 1.5 } } })).toThrow(RangeError);
    expect(text(jsonCodec.encodeReply({ id: 1 }))).toBe('{"id":1}');
  });
});

describe('Protobuf values', () => {
  it('writes negative and zig-zag integers as the specification says', () => {
    const history = encodeCommand('protobuf', { history: { limit: -1 } });
    expect(hex(history)).toBe('0d520b38ffffffffffffffffff01');
    expect([...protobufCodec.commands(history)]).toEqual([{ history: { limit: -1 } }]);
    const push = (score: number): string => hex(protobufCodec.encodePush({ pub: { score } }));
    expect(push(-1)).toBe('22026801');
    expect(push(1)).toBe('22026802');
  });

  it('reads a repeated submessage as one that is merged', () => {
    expect([...protobufCodec.commands(unhex('09 2a 03 0a 01 61 2a 02 48 01'))]).toEqual([
      { subscribe: { channel: 'a', positioned: true } },
    ]);
  });
});

describe('emulation requests', () => {
  const json = '{"session":"9a","node":"77","data":"{\\"id\\":2,\\"subscribe\\":{\\"channel\\":\\"news\\"}}\\n{}"}';

  it('carry the frame of a JSON connection in a JSON string', () => {
    const request = decodeEmulationRequest(bytes(json), 'json');
    expect(request.session).toBe('9a');
    expect(request.node).toBe('77');
    const frame = emulationFrame(request, 'json');
    expect([...jsonCodec.commands(frame!)]).toEqual([{ id: 2, subscribe: { channel: 'news' } }, {}]);
  });

  it('carry the frame of a Protobuf connection as it is', () => {
    const request = decodeEmulationRequest(unhex('0a 01 6e 12 01 73 1a 01 00'), 'protobuf');
    expect(request).toEqual({ node: 'n', session: 's', data: Uint8Array.of(0) });
    expect(emulationFrame(request, 'protobuf')).toEqual(Uint8Array.of(0));
  });

  it('are dropped when the data of a JSON connection is not a string, and empty when it is null', () => {
    const frameOf = (body: string): Uint8Array | undefined =>
      emulationFrame(decodeEmulationRequest(bytes(body), 'json'), 'json');
    expect(frameOf('{"data":{}}')).toBeUndefined();
    expect(frameOf('{"data":1}')).toBeUndefined();
    expect(frameOf('{}')).toBeUndefined();
    expect(frameOf('{"data":null}')).toEqual(new Uint8Array(0));
  });

  it('are followed by anything', () => {
    expect(decodeEmulationRequest(bytes('{"node":"n"} x'), 'json')).toEqual({ node: 'n' });
  });

  it.each(['', '{', 'x', '{"node":1}'])('refuse the body %j', (body) => {
    expect(() => decodeEmulationRequest(bytes(body), 'json')).toThrow(ProtocolViolation);
    if (body !== '') expect(() => decodeEmulationRequest(bytes(body), 'protobuf')).toThrow(ProtocolViolation);
  });
});

describe('connect requests of unidirectional transports', () => {
  it('are JSON objects or null', () => {
    expect(decodeConnectRequest(bytes('{"token":"t","subs":{"a":{"recover":true}}}'))).toEqual({
      token: 't',
      subs: { a: { recover: true } },
    });
    expect(decodeConnectRequest(bytes('null'))).toEqual({});
    expect(() => decodeConnectRequest(bytes(''))).toThrow(ProtocolViolation);
    expect(decodeConnectRequest(bytes('{"token":"t"} {'))).toEqual({ token: 't' });
  });
});

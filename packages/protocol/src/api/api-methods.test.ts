import { describe, expect, it } from 'vitest';
import { ProtocolViolation } from '../codes/protocol-violation.ts';
import { NULL_MESSAGE } from '../wire/message-plan.ts';
import { InvalidPayload } from '../wire/raw-json.ts';
import { apiErrorCodec, apiGrpcMethods, apiMethods, batchMethod } from './api-methods.ts';
import { legacyCommands, legacyReplyCodec } from './legacy-commands.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (value: Uint8Array | undefined): string => new TextDecoder().decode(value);

describe('the table of API methods', () => {
  it('names every method as the routes do', () => {
    const names = Object.values(apiMethods).map((method) => method.name);
    expect([...names, batchMethod.name].sort()).toEqual(
      (
        'batch publish broadcast subscribe unsubscribe disconnect presence presence_stats history history_remove info ' +
        'rpc refresh channels connections update_user_status get_user_status delete_user_status block_user unblock_user revoke_token invalidate_user_tokens map_publish map_remove map_read_state map_read_stream map_stats map_clear ' +
        'shared_poll_publish'
      )
        .split(' ')
        .sort(),
    );
  });

  it('is in the order in which a batch command picks its method', () => {
    expect(Object.keys(apiMethods).join(' ')).toBe(
      'publish broadcast subscribe unsubscribe disconnect history historyRemove presence presenceStats info rpc ' +
        'refresh channels connections updateUserStatus getUserStatus deleteUserStatus blockUser unblockUser revokeToken invalidateUserTokens mapPublish mapRemove mapReadState mapReadStream mapStats mapClear sharedPollPublish',
    );
  });

  it('agrees with the gRPC service', () => {
    for (const method of [...Object.values(apiMethods), batchMethod]) {
      const path = `/centrifugal.centrifugo.api.CentrifugoApi/${method.grpcName}`;
      expect(Object.values(apiGrpcMethods).map((it) => it.path)).toContain(path);
    }
    for (const method of Object.values(apiMethods)) {
      expect(apiGrpcMethods[method.batchField].path.endsWith(`/${method.grpcName}`)).toBe(true);
    }
  });
});

describe('API JSON', () => {
  it('reads keys in any case, an exact match first', () => {
    const read = apiMethods.publish.request.readJson;
    expect(read(bytes('{"CHANNEL":"a","Idempotency_Key":"k","unknown":[1]}'))).toEqual({
      channel: 'a',
      idempotencyKey: 'k',
    });
  });

  it.each([
    ['{"channel":1,"data":{}}'],
    ['{"channel":"a","version":-1}'],
    ['{"channel":"a"'],
    [''],
    ['{} {}'],
    ['"a"'],
  ])('refuses %s', (body) => {
    expect(() => apiMethods.publish.request.readJson(bytes(body))).toThrow(ProtocolViolation);
  });

  it('keeps the payload as it came in, null included', () => {
    expect(text(apiMethods.publish.request.readJson(bytes('{"data": { "a" : 1 } }')).data)).toBe('{ "a" : 1 }');
    expect(text(apiMethods.publish.request.readJson(bytes('{"data":null}')).data)).toBe('null');
    expect(apiMethods.publish.request.readJson(bytes('{"channel":null}')).channel).toBeUndefined();
  });

  it('takes equal keys one after the other: the last wins, null is no value, messages and maps are merged', () => {
    const published = (json: string): unknown => JSON.parse(text(publish.writeJson(publish.readJson(bytes(json)))));
    const publish = apiMethods.publish.request;
    expect(published('{"channel":"a","channel":"b","channel":null}')).toEqual({ channel: 'b' });
    expect(published('{"channel":"a","Channel":""}')).toEqual({});
    expect(published('{"data":1,"data":null}')).toEqual({ data: null });
    expect(published('{"tags":{"a":"1","b":"1"},"tags":{"b":"2"},"tags":{}}')).toEqual({ tags: { a: '1', b: '2' } });
    expect(published('{"tags":{"a":"1"},"tags":null}')).toEqual({});
    const history = (json: string): unknown => apiMethods.history.request.readJson(bytes(json)).since;
    expect(history('{"since":{"offset":1,"epoch":"a"},"since":{"offset":2,"offset":null}}')).toEqual({
      offset: 2,
      epoch: 'a',
    });
    expect(history('{"since":{"offset":1},"since":null}')).toBeUndefined();
  });

  it('always writes what callers rely on', () => {
    const write = (value: Uint8Array): string => text(value);
    expect(write(apiMethods.publish.response.writeJson({ result: {} }))).toBe('{"result":{}}');
    expect(write(apiMethods.presence.response.writeJson({ result: {} }))).toBe('{"result":{"presence":{}}}');
    expect(write(apiMethods.channels.result.writeJson({}))).toBe('{"channels":{}}');
    expect(write(apiMethods.history.result.writeJson({}))).toBe('{"publications":[],"epoch":"","offset":0}');
    expect(
      write(apiMethods.info.result.writeJson({ nodes: [{ metrics: { interval: 0.5, items: { a: 1.25 } } }] })),
    ).toBe(
      '{"nodes":[{"uid":"","name":"","version":"","num_clients":0,"num_users":0,"num_channels":0,' +
        '"metrics":{"interval":0.5,"items":{"a":1.25}},"num_subs":0}]}',
    );
    expect(write(apiErrorCodec.writeJson({ code: 102, message: 'unknown channel' }))).toBe(
      '{"code":102,"message":"unknown channel"}',
    );
    expect(write(batchMethod.response.writeJson({}))).toBe('{}');
  });

  it('writes maps in the order of the bytes of their keys', () => {
    const channels = { b: { numClients: 1 }, a: {}, '9': {}, '10': {}, '\u{1f600}': {}, '\uffee': {} };
    expect(text(apiMethods.channels.result.writeJson({ channels }))).toBe(
      '{"channels":{"10":{},"9":{},"a":{},"b":{"num_clients":1},"\uffee":{},"\u{1f600}":{}}}',
    );
    const publications = [{ data: bytes('1'), tags: { z: '1', a: '2' } }];
    expect(text(apiMethods.history.result.writeJson({ publications, offset: 1 }))).toBe(
      '{"publications":[{"data":1,"tags":{"a":"2","z":"1"}}],"epoch":"","offset":1}',
    );
  });

  it('reads versions of 64 bits exactly, from JSON and Protobuf', () => {
    const { request } = apiMethods.publish;
    const versionOf = (json: string): unknown => request.readJson(bytes(`{"version":${json}}`)).version;
    expect(versionOf('9007199254740991')).toBe(9_007_199_254_740_991);
    for (const version of ['9007199254740992', '1770000000123456789', '18446744073709551615']) {
      expect(versionOf(version)).toBe(BigInt(version));
      const message = { channel: 'a', version: BigInt(version) };
      expect(request.readProtobuf(request.writeProtobuf(message))).toEqual({ channel: 'a', version: BigInt(version) });
      expect(text(request.writeJson(message))).toBe(`{"channel":"a","version":${version}}`);
    }
    expect(() => versionOf('18446744073709551616')).toThrow(ProtocolViolation);
    expect(() => request.writeJson({ version: 2n ** 64n })).toThrow(RangeError);
    expect(() => request.writeJson({ version: -1n })).toThrow(RangeError);
  });

  it('compacts payloads, and refuses those that are not JSON', () => {
    const result = (data: string): Uint8Array =>
      apiMethods.history.result.writeJson({ publications: [{ data: bytes(data) }], epoch: 'e', offset: 1 });
    expect(text(result('{ "a" : "<" }'))).toBe(
      String.raw`{"publications":[{"data":{"a":"\u003c"}}],"epoch":"e","offset":1}`,
    );
    expect(() => result('binary')).toThrow(InvalidPayload);
    // A codec that threw half way must not leave anything behind.
    expect(text(result('1'))).toBe('{"publications":[{"data":1}],"epoch":"e","offset":1}');
  });

  it('tells a null command of a batch from an empty one', () => {
    const { commands } = batchMethod.request.readJson(bytes('{"commands":[{"info":{}},null,{}],"parallel":true}'));
    expect(commands?.map((command) => command === NULL_MESSAGE)).toEqual([false, true, false]);
    expect(commands).toEqual([{ info: {} }, {}, {}]);
  });
});

describe('legacy commands', () => {
  const read = (body: string): unknown[] =>
    [...legacyCommands(bytes(body))].map((command) => ({ ...command, params: text(command.params) }));

  it('stand one after the other and name their method in several ways', () => {
    expect(
      read('{"id":1,"method":"PUBLISH","params":{"channel":"a"}}\n {"method":9}{"params":{}}{"method":"connections"}'),
    ).toEqual([
      { id: 1, method: 'publish', params: '{"channel":"a"}' },
      { id: 0, method: 'info', params: '' },
      { id: 0, method: 'publish', params: '{}' },
      { id: 0, method: 'connections', params: '' },
    ]);
    expect(read('{"method":99}{"method":13}{"method":-1}')).toMatchObject([
      { method: undefined },
      { method: undefined },
      { method: undefined },
    ]);
    expect(read('{"method":4294967297}{"method":-0}')).toMatchObject([{ method: 'broadcast' }, { method: 'publish' }]);
    expect(read(' \n')).toEqual([]);
  });

  it.each([
    '',
    '{"method":"nope"}',
    '{"method":""}',
    '{"method":null}',
    '{"method":{}}',
    '{"method":1.5}',
    '{"method":1e2}',
    '{"method":1.0}',
    '{"method":"0"}',
    '{"method":9223372036854775808}',
    '{',
    '[]',
  ])('refuse the body %j', (body) => {
    expect(() => read(body)).toThrow(ProtocolViolation);
  });

  it('before a malformed one are given first', () => {
    const commands = legacyCommands(bytes('{"id":1,"method":"info"} {"id":'));
    expect(commands.next().value).toMatchObject({ id: 1, method: 'info' });
    expect(() => commands.next()).toThrow(ProtocolViolation);
  });

  it('are those of the table by their numbers', () => {
    for (const method of Object.values(apiMethods)) {
      expect(read(`{"method":${method.legacyNumber}}`)).toMatchObject([{ method: method.name }]);
    }
  });

  it('are answered with the JSON of a result inside', () => {
    expect(text(legacyReplyCodec.writeJson({ result: bytes('{}') }))).toBe('{"result":{}}');
    expect(text(legacyReplyCodec.writeJson({ id: 2, error: { code: 104, message: 'not found' } }))).toBe(
      '{"id":2,"error":{"code":104,"message":"not found"}}',
    );
  });
});

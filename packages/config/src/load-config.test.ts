import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { stringify as stringifyToml } from 'smol-toml';
import { stringify as stringifyYaml } from 'yaml';
import { loadText, loadValue } from './load-fixture.ts';
import { defaultConfig, loadConfig } from './load-config.ts';
import { ConfigError } from './read/config-error.ts';

const SAMPLE = {
  client: { token: { hmac_secret_key: 's' }, allowed_origins: ['https://a.example', '*'], ping_interval: '20s' },
  channel: {
    without_namespace: { presence: true },
    namespaces: [{ name: 'chat', history_size: 10, history_ttl: '5m', force_recovery: true }],
  },
  http_api: { key: 'k' },
  proxies: [{ name: 'main', endpoint: 'http://a', http: { static_headers: { 'x-a': 'b' } } }],
};

describe('files', () => {
  test('JSON, YAML and TOML files with equal content give equal configuration', () => {
    const json = loadText(JSON.stringify(SAMPLE), { path: 'c.json' });
    const yaml = loadText(stringifyYaml(SAMPLE), { path: 'c.yaml' });
    const yml = loadText(stringifyYaml(SAMPLE), { path: 'c.yml' });
    const toml = loadText(stringifyToml(SAMPLE), { path: 'c.toml' });
    expect(json.warnings).toEqual([]);
    expect(json.config.channel.namespaces[0]?.historyTtlMs).toBe(300_000);
    for (const other of [yaml, yml, toml]) expect(other).toEqual(json);
  });

  test('a missing file is a warning and gives defaults', () => {
    const loaded = loadText('{}', { files: {}, path: 'other.json', readFile: undefined });
    expect(loaded.fileFound).toBe(true);
    const missing = loadConfig({ path: '/nowhere/config.json', env: {} });
    expect(missing.fileFound).toBe(false);
    expect(missing.warnings).toEqual(['config file /nowhere/config.json not found, using defaults and environment']);
    expect(missing.config).toEqual(defaultConfig());
  });

  test.each([
    ['c.json', '{"a":'],
    ['c.yaml', 'a: [1'],
    ['c.toml', 'a = '],
    ['c.json', '[1]'],
    ['c.ini', ''],
  ])('a broken %s (%s) is refused with its name', (path, text) => {
    expect(() => loadText(text, { path })).toThrow(ConfigError);
    expect(() => loadText(text, { path })).toThrow(path);
  });

  test.each([
    ['c.json', '{"key": "a", "secret": hidden}'],
    ['c.json', '{"secret": "hidden"} hidden'],
    ['c.yaml', 'secret: "hidden" hidden\n'],
    ['c.yaml', 'secret: [hidden\nother: hidden'],
    ['c.toml', 'secret = hidden'],
  ])('a broken %s is refused without quoting it: %s', (path, text) => {
    let refusal: unknown;
    try {
      loadText(text, { path });
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toBeInstanceOf(ConfigError);
    expect(inspect(refusal)).not.toContain('hidden');
  });

  test('keys are not case-sensitive and an empty group is as good as none', () => {
    const { config, warnings } = loadText('Client:\n  Channel_Limit: 5\nchannel:\n', { path: 'c.yaml' });
    expect(config.client.channelLimit).toBe(5);
    expect(warnings).toEqual([]);
  });

  test('dotted keys at the top level are nested keys', () => {
    expect(loadValue({ 'client.token.hmac_secret_key': 'x' }).config.client.token.hmacSecretKey).toBe('x');
  });

  test('unknown keys are one warning each, with the line, and an error in strict mode', () => {
    const text = '{\n"foo": 1,\n"channel": {"namespaces": [{"name": "chat",\n"bar": 2}]}\n}';
    const loaded = loadText(text);
    expect(loaded.unknownKeys).toEqual(['channel.namespaces[0].bar', 'foo']);
    expect(loaded.warnings).toEqual([
      'config.json:4: unknown key channel.namespaces[0].bar',
      'config.json:2: unknown key foo',
    ]);
    expect(() => loadText(text, { strict: true })).toThrow('unknown keys in config: channel.namespaces[0].bar, foo');
  });

  test('the schema reference of editors is no unknown key', () => {
    expect(loadValue({ $schema: './s.json' }).unknownKeys).toEqual([]);
  });

  test('keys named like object internals are unknown keys', () => {
    const loaded = loadText('{"__proto__": {"a": 1}, "constructor": 1}');
    expect([...loaded.unknownKeys].sort()).toEqual(['__proto__', 'constructor']);
  });
});

describe('values', () => {
  test.each([
    [{ client: { channel_limit: 0 } }, 'channelLimit', 128],
    [{ client: { queue_max_size: 0 } }, 'queueMaxSize', 1_048_576],
    [{ client: { history_max_publication_limit: 0 } }, 'historyMaxPublicationLimit', 300],
    [{ client: { ping_interval: '0s' } }, 'pingIntervalMs', 25_000],
    [{ client: { ping_interval: 0 } }, 'pingIntervalMs', 25_000],
    [{ client: { connection_limit: 0 } }, 'connectionLimit', 0],
  ] as const)('zero in a file means the default: %j', (value, key, expected) => {
    const { config, warnings } = loadValue(value);
    expect(config.client[key]).toBe(expected);
    expect(warnings).toEqual([]);
  });

  test('an empty symbol of channel names is put back', () => {
    expect(loadValue({ channel: { private_prefix: '' } }).config.channel.privatePrefix).toBe('$');
  });

  test('a bare number as duration is nanoseconds, with a warning', () => {
    const { config, warnings } = loadValue({ client: { ping_interval: 30_000_000_000 } });
    expect(config.client.pingIntervalMs).toBe(30_000);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/^config\.json:3: client\.ping_interval is the bare number/);
  });

  test.each([
    [{ client: { ping_interval: '-1' } }, 'client.ping_interval must be a duration with a unit'],
    [{ client: { channel_limit: 'many' } }, 'client.channel_limit must be a whole number, not "many"'],
    [{ client: { channel_limit: 1.5 } }, 'client.channel_limit must be a whole number'],
    [{ client: { insecure: 'maybe' } }, 'client.insecure must be true or false'],
    [{ client: 5 }, 'client must be a group of options'],
    [{ channel: { namespaces: {} } }, 'channel.namespaces must be a list'],
    [{ http_server: { port: 70_000 } }, 'http_server.port must not be above 65535'],
    [{ http_api: { error_mode: 'x' } }, 'http_api.error_mode has the unknown value "x"; known are transport'],
    [{ grpc_api: { error_mode: 'x' } }, 'grpc_api.error_mode'],
    [{ engine: { type: 'tarantool' } }, 'engine.type'],
    [{ client: { token: { hmac_secret_key: { a: 'hidden' } } } }, 'hmac_secret_key must be text, not a value of type'],
  ])('%j is refused with the key and the file', (value, message) => {
    expect(() => loadValue(value)).toThrow(message);
    expect(() => loadValue(value)).toThrow(/^config\.json:\d+: /);
    expect(() => loadValue(value)).not.toThrow(/hidden/);
  });

  test('a single text is a list of one in a file, words are a list in the environment', () => {
    expect(loadValue({ client: { allowed_origins: 'a b' } }).config.client.allowedOrigins).toEqual(['a b']);
    const { config } = loadConfig({ env: { CENTRIFUGO_CLIENT_ALLOWED_ORIGINS: 'a b' } });
    expect(config.client.allowedOrigins).toEqual(['a', 'b']);
  });

  test('NATS urls may be a list or joined by commas, and workers may be auto', () => {
    const one = loadValue({ nats: { url: 'nats://a:1, nats://b:2' }, gateway: { workers: 'auto' } }).config;
    expect(one.nats.url).toEqual(['nats://a:1', 'nats://b:2']);
    expect(one.gateway.workers).toBe(0);
    expect(loadValue({ nats: { url: ['nats://a:1'] }, gateway: { workers: 4 } }).config.gateway.workers).toBe(4);
    expect(loadValue({ gateway: { workers: 0 } }).config.gateway.workers).toBe(1);
  });

  test('maps of text lose the case of their keys as objects and keep it as lists', () => {
    const headers = (static_headers: unknown) =>
      loadValue({ rpc: { proxy: { http: { static_headers } } } }).config.rpc.proxy.http.staticHeaders;
    expect(headers({ 'X-Key': 'A' })).toEqual({ 'x-key': 'A' });
    expect(headers([{ key: 'X-Key', value: 'A' }])).toEqual({ 'X-Key': 'A' });
    expect(headers('{"X-Key":"A"}')).toEqual({ 'X-Key': 'A' });
    expect(() => headers('X-Key: A')).toThrow('must be JSON');
    const env = { CENTRIFUGO_RPC_PROXY_HTTP_STATIC_HEADERS: '{"X-Key":"A"}' };
    expect(loadConfig({ env }).config.rpc.proxy.http.staticHeaders).toEqual({ 'X-Key': 'A' });
  });

  test('references to variables are replaced in values of maps only', () => {
    const value = {
      rpc: {
        proxy: { http: { static_headers: { a: 'Bearer ${CENTRIFUGO_VAR_T}', b: '${CARILLON_VAR_U}', c: '${HOME}' } } },
      },
      http_api: { key: '${CENTRIFUGO_VAR_T}' },
    };
    const { config, warnings } = loadValue(value, { env: { CENTRIFUGO_VAR_T: 'tok', CARILLON_VAR_U: 'u' } });
    expect(config.rpc.proxy.http.staticHeaders).toEqual({ a: 'Bearer tok', b: 'u', c: '${HOME}' });
    expect(config.httpApi.key).toBe('${CENTRIFUGO_VAR_T}');
    expect(warnings).toEqual([]);
    expect(() => loadValue(value)).toThrow('refers to CENTRIFUGO_VAR_T, which is not set');
  });

  test.each(['text', 'base64', 'path'])('a PEM value may be %s', (form) => {
    const pem = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
    const forms: Record<string, string> = {
      text: pem,
      base64: Buffer.from(pem).toString('base64'),
      path: '/tls/c.pem',
    };
    const value = { grpc_api: { tls: { enabled: true, cert_pem: forms[form] } } };
    expect(loadValue(value, { files: { '/tls/c.pem': pem } }).config.grpcApi.tls.certPem).toBe(pem);
  });

  test('a PEM value that is none of these is refused without being shown', () => {
    const value = { grpc_api: { tls: { enabled: true, key_pem: '/tls/none.pem' } } };
    expect(() => loadValue(value)).toThrow('grpc_api.tls.key_pem is neither PEM');
    expect(loadValue({ grpc_api: { tls: { key_pem: '/tls/none.pem' } } }).warnings).toEqual([]);
  });
});

describe('environment and flags', () => {
  test('flag beats environment beats file', () => {
    const file = { http_server: { port: 1 } };
    const env = { CENTRIFUGO_HTTP_SERVER_PORT: '2' };
    const flags = { 'http_server.port': '3' };
    expect(loadValue(file).config.httpServer.port).toBe(1);
    expect(loadValue(file, { env }).config.httpServer.port).toBe(2);
    expect(loadValue(file, { env, flags }).config.httpServer.port).toBe(3);
  });

  test('our prefix beats the other one, and an empty variable counts as not set', () => {
    const env = { CARILLON_HTTP_API_KEY: 'ours', CENTRIFUGO_HTTP_API_KEY: 'theirs', CARILLON_LOG_LEVEL: '' };
    const { config } = loadValue({ log: { level: 'debug' } }, { env });
    expect(config.httpApi.key).toBe('ours');
    expect(config.log.level).toBe('debug');
  });

  test.each([
    ['1', true],
    ['t', true],
    ['TRUE', true],
    ['0', false],
    ['F', false],
    ['False', false],
  ])('the boolean %s is %s', (text, expected) => {
    expect(loadConfig({ env: { CENTRIFUGO_CLIENT_INSECURE: text } }).config.client.insecure).toBe(expected);
  });

  test('zero from the environment is the default, but for the one option that keeps it', () => {
    const { config } = loadConfig({
      env: { CENTRIFUGO_CLIENT_CHANNEL_LIMIT: '0', CENTRIFUGO_CLIENT_HISTORY_MAX_PUBLICATION_LIMIT: '0' },
    });
    expect(config.client.channelLimit).toBe(128);
    expect(config.client.historyMaxPublicationLimit).toBe(0);
  });

  test('a duration without a unit is refused with the name of the variable', () => {
    expect(() => loadConfig({ env: { CENTRIFUGO_CLIENT_PING_INTERVAL: '25' } })).toThrow(
      /^CENTRIFUGO_CLIENT_PING_INTERVAL: client\.ping_interval must be a duration with a unit/,
    );
  });

  test('lists of groups come as JSON or as names, and variables set fields of items that exist', () => {
    const env = {
      CENTRIFUGO_CHANNEL_NAMESPACES: '[{"name":"a.b-c","Presence":true},{"name":"other"}]',
      CENTRIFUGO_CHANNEL_NAMESPACES_A_B_C_JOIN_LEAVE: 'true',
      CENTRIFUGO_CHANNEL_NAMESPACES_A_B_C_MAP_KEY_TTL: '1m',
      CENTRIFUGO_CHANNEL_NAMESPACES_GONE_PRESENCE: 'true',
      CENTRIFUGO_RPC_NAMESPACES: 'one two',
    };
    const { config, warnings } = loadConfig({ env });
    const [first, second] = config.channel.namespaces;
    expect(first).toMatchObject({ name: 'a.b-c', presence: true, joinLeave: true, map: { keyTtlMs: 60_000 } });
    expect(second).toMatchObject({ joinLeave: false, presence: false });
    expect(config.rpc.namespaces.map(({ name }) => name)).toEqual(['one', 'two']);
    expect(warnings).toContain('unknown environment variable CENTRIFUGO_CHANNEL_NAMESPACES_GONE_PRESENCE');
  });

  test('names alone come behind the items of the file, JSON replaces them', () => {
    const value = { channel: { namespaces: [{ name: 'chat', presence: true }] } };
    const names = (text: string): string[] =>
      loadValue(value, { env: { CENTRIFUGO_CHANNEL_NAMESPACES: text } }).config.channel.namespaces.map(
        ({ name }) => name,
      );
    expect(names('news  games')).toEqual(['chat', 'news', 'games']);
    expect(names('[{"name":"news"}]')).toEqual(['news']);
    const env = { CENTRIFUGO_CHANNEL_NAMESPACES: 'news', CENTRIFUGO_CHANNEL_NAMESPACES_NEWS_PRESENCE: 'true' };
    expect(loadValue({}, { env }).config.channel.namespaces).toMatchObject([{ name: 'news', presence: true }]);
  });

  test('a variable for one namespace of the file changes only that one', () => {
    const value = { channel: { namespaces: [{ name: 'chat' }, { name: 'news' }] } };
    const { config } = loadValue(value, { env: { CENTRIFUGO_CHANNEL_NAMESPACES_CHAT_PRESENCE: 'true' } });
    expect(config.channel.namespaces.map(({ presence }) => presence)).toEqual([true, false]);
  });

  test('unknown variables are warned about, those of Kubernetes and references are not', () => {
    const env = {
      CENTRIFUGO_NONSENSE: '1',
      CARILLON_FOLLY: '1',
      CENTRIFUGO_VAR_X: '1',
      CENTRIFUGO_PORT: 'tcp://10.0.0.1:8000',
      CENTRIFUGO_PORT_8000_TCP: 'tcp://10.0.0.1:8000',
      CENTRIFUGO_SERVICE_HOST: '10.0.0.1',
      OTHER: '1',
    };
    const loaded = loadConfig({ env });
    expect(loaded.warnings).toEqual([
      'unknown environment variable CENTRIFUGO_NONSENSE',
      'unknown environment variable CARILLON_FOLLY',
    ]);
    expect(loaded.config.httpServer.port).toBe(8000);
  });

  test('a .env file adds variables and does not replace those that are set', () => {
    const files = { '.env': 'CENTRIFUGO_HTTP_API_KEY=file\nCENTRIFUGO_NODE_NAME="n1"\n' };
    const { config } = loadText('{}', { files, envFile: '.env', env: { CENTRIFUGO_HTTP_API_KEY: 'real' } });
    expect(config.httpApi.key).toBe('real');
    expect(config.node.name).toBe('n1');
  });
});

describe('what depends on other values', () => {
  test('an unknown log level is info, with a warning', () => {
    const { config, warnings } = loadValue({ log: { level: 'loud' } });
    expect(config.log.level).toBe('info');
    expect(warnings).toEqual(['log.level "loud" is unknown, using info']);
  });

  test('options without effect are named in one warning, only where they are set', () => {
    const { warnings } = loadValue({
      graphite: { enabled: true },
      http_server: { http3: { enabled: true } },
      webtransport: { enabled: false },
    });
    expect(warnings).toEqual(['options that have no effect yet: http_server.http3, graphite']);
  });

  test('a flat option of all proxies sets those without effect, too, and nobody is bothered with that', () => {
    const { warnings } = loadValue({ proxy_http_headers: ['Cookie'] });
    expect(warnings.filter((text) => text.includes('no effect'))).toEqual([]);
    const { warnings: asked } = loadValue({ channel: { proxy: { map_publish: { endpoint: 'http://a/b' } } } });
    expect(asked).toEqual(['options that have no effect yet: channel.proxy.map_publish.endpoint']);
  });

  test('a NATS broker of older files becomes the cluster engine', () => {
    const { config } = loadValue({ broker: 'nats', nats_url: 'nats://x:4222' });
    expect(config.nats.url).toEqual(['nats://x:4222']);
    expect(loadValue({ broker: { nats: { url: 'nats://x:4222' } } }).config.nats.url).toEqual([]);
  });
});

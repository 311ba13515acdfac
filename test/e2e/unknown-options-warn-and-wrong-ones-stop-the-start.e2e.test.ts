import { describe, expect, it } from 'vitest';

import { BASE_CONFIG, mergeConfig, startStandalone } from '../harness/standalone.ts';
import { probeHealth, runCommand, startProcess, type Config } from '../harness/start-process.ts';

const WRONG: Readonly<Record<string, readonly [Config, string]>> = {
  'api 18: an unknown error mode': [{ http_api: { error_mode: 'bogus' } }, 'http_api.error_mode'],
  'channels 12: two namespaces of one name': [
    { channel: { namespaces: [{ name: 'ab' }, { name: 'ab' }] } },
    'channel.namespaces',
  ],
  'channels 12: a namespace name of one character': [
    { channel: { namespaces: [{ name: 'a' }] } },
    'channel.namespaces',
  ],
  'channels 66: recovery without history': [
    { channel: { without_namespace: { force_recovery: true } } },
    'channel.without_namespace',
  ],
  'channels 66: a history size without a time': [
    { channel: { without_namespace: { history_size: 1 } } },
    'channel.without_namespace',
  ],
  'channels 66: a history time below a second': [
    { channel: { without_namespace: { history_size: 1, history_ttl: '500ms' } } },
    'history_ttl',
  ],
  'channels 98: a ping interval that is no longer than the pong timeout': [
    { client: { ping_interval: '5s', pong_timeout: '5s' } },
    'client.p',
  ],
  'channels 94: an undefined variable in a header': [
    { proxies: [{ name: 'px', endpoint: 'http://x', http: { static_headers: { a: '${CENTRIFUGO_VAR_NONE}' } } }] },
    'CENTRIFUGO_VAR_NONE',
  ],
  'channels 114: a map with key_ttl that is persistent': [
    { channel: { namespaces: [{ name: 'mm', subscription_type: 'map', map: { mode: 'persistent', key_ttl: '1m' } }] } },
    'key_ttl',
  ],
  'tokens 20: audience and audience_regex': [
    { client: { token: { audience: 'a', audience_regex: 'a' } } },
    'client.token.audience',
  ],
  'tokens 21: a user claim that is no name': [{ client: { token: { user_id_claim: 'a-b' } } }, 'user_id_claim'],
  'tokens 38: an unsafe template of the key set': [
    { client: { token: { jwks_public_endpoint: 'https://x/{{tenant}}', issuer_regex: '(?P<tenant>.+)' } } },
    'client.token',
  ],
  'a port that is no number': [{ http_server: { port: 'eighty' } }, 'http_server.port'],
  'a duration without sense': [{ client: { ping_interval: 'soon' } }, 'client.ping_interval'],
  'a proxy that is not there': [{ channel: { namespaces: [{ name: 'ab', subscribe_proxy_enabled: true }] } }, 'proxy'],
};

describe('standalone', () => {
  it.each(Object.entries(WRONG))('%s stops the start with a message', async (_what, [config, key]) => {
    const { code, output } = await runCommand(['checkconfig'], { config });
    expect(code).toBe(1);
    expect(output).toContain(key);
    expect(output).not.toContain('    at ');
  });

  it('serve ends with 1 and the message of checkconfig', async () => {
    const { code, stderr } = await runCommand(['serve'], { config: { http_api: { error_mode: 'bogus' } } });
    expect(code).toBe(1);
    expect(stderr).toContain('http_api.error_mode');
  });

  it('a broken file ends with 1 and its name', async () => {
    const { code, stderr } = await runCommand(['serve'], { config: '{"client":' });
    expect(code).toBe(1);
    expect(stderr).toContain('config.json');
  });

  it('an unknown option warns on stderr and the server starts', async () => {
    const server = await startStandalone({ nonsense: { a: 1 }, client: { tokn: {} }, log: { level: 'warn' } });
    const output = server.gateways[0]?.output() ?? '';
    await server.stop();
    expect(output).toContain('nonsense');
    expect(output).toContain('client.tokn');
  });

  it('an option that is not built is named once in a warning and the server starts', async () => {
    const server = await startStandalone({ webtransport: { enabled: true }, graphite: { enabled: true } });
    const output = server.gateways[0]?.output() ?? '';
    await server.stop();
    const lines = output.split('\n').filter((line) => line.includes('graphite'));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('webtransport');
  });

  it('unknown keys fail checkconfig --strict only', async () => {
    const config = { nonsense: 1 };
    expect((await runCommand(['checkconfig'], { config })).code).toBe(0);
    const strict = await runCommand(['checkconfig', '--strict'], { config });
    expect(strict.code).toBe(1);
    expect(strict.output).toContain('nonsense');
  });

  it('flag beats environment beats file, and old names have their effect with a warning', async () => {
    const { client: _client, ...rest } = BASE_CONFIG;
    const server = await startProcess({
      command: 'serve',
      config: mergeConfig(rest, { http_server: { port: 1 }, token_hmac_secret_key: 'secret' }),
      env: { CARILLON_HTTP_SERVER_PORT: '2', CENTRIFUGO_CLIENT_CHANNEL_LIMIT: '5' },
    });
    expect(await probeHealth(server.url)).toBe('200 {}');
    await server.stop();
    expect(server.output()).toContain('client.token.hmac_secret_key');
  });

  it('a second server on a port says which one is taken', async () => {
    const server = await startStandalone();
    const port = server.gateways[0]?.port ?? 0;
    const { code, stderr } = await runCommand(['serve', '--port', String(port)], { config: BASE_CONFIG });
    await server.stop();
    expect(code).toBe(1);
    expect(stderr).toContain(String(port));
  });

  it.each(['gateway', 'api'])('%s alone without nats.url says what is missing', async (command) => {
    const { code, stderr } = await runCommand([command], { config: BASE_CONFIG });
    expect(code).toBe(1);
    expect(stderr).toContain('nats.url');
  });
});

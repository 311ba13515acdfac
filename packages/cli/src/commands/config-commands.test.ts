import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { defaultConfig, loadConfig } from '@carillon/config';
import { describe, expect, test } from 'vitest';
import { openTerminal } from '../cli-fixture.ts';
import { checkConfigCommand } from './checkconfig.ts';
import { configDocCommand } from './configdoc.ts';
import { defaultConfigCommand } from './defaultconfig.ts';
import { defaultEnvCommand } from './defaultenv.ts';
import { genConfigCommand } from './genconfig.ts';

const CONFIG = { config: 'config.json' };

describe('checkconfig', () => {
  test('a good file gives silence', async () => {
    const terminal = openTerminal({ 'config.json': '{"http_api":{"key":"k"}}' });
    expect(await checkConfigCommand({ ...CONFIG, strict: true }, terminal.io)).toBe(0);
    expect(terminal.stdout() + terminal.stderr()).toBe('');
  });

  test('a missing file is an error', async () => {
    const terminal = openTerminal();
    expect(await checkConfigCommand(CONFIG, terminal.io)).toBe(1);
    expect(terminal.stdout()).toBe('config file not found\n');
  });

  test('an unknown key is a warning, and an error in strict mode', async () => {
    const terminal = openTerminal({ 'config.json': '{"a":1,"b":{"c":2}}' });
    expect(await checkConfigCommand(CONFIG, terminal.io)).toBe(0);
    expect(terminal.stdout()).toBe('');
    expect(terminal.stderr()).toBe('warning: config.json:1: unknown key a\nwarning: config.json:1: unknown key b\n');
    expect(await checkConfigCommand({ ...CONFIG, strict: true }, terminal.io)).toBe(1);
    expect(terminal.stdout()).toBe('unknown keys in config: a, b\n');
  });

  test.each([
    ['{"a"', /^error getting config: config\.json: /],
    ['{"client":{"channel_limit":"x"}}', /^error getting config: config\.json:1: client\.channel_limit must be/],
    ['{"client":{"ping_interval":"1s"}}', /^error validating config: config\.json:1: client\.ping_interval must be/],
  ])('%s is refused on stdout', async (text, message) => {
    const terminal = openTerminal({ 'config.json': text });
    expect(await checkConfigCommand(CONFIG, terminal.io)).toBe(1);
    expect(terminal.stdout()).toMatch(message);
  });

  test('a .env file and PEM paths are found beside the working directory', async () => {
    const pem = '-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----\n';
    const files = {
      'config.json': '{}',
      '.env': 'CENTRIFUGO_GRPC_API_TLS_ENABLED=1\nCENTRIFUGO_GRPC_API_TLS_CERT_PEM=c.pem\n',
    };
    expect(await checkConfigCommand(CONFIG, openTerminal({ ...files, 'c.pem': pem }).io)).toBe(0);
    expect(await checkConfigCommand(CONFIG, openTerminal(files).io)).toBe(1);
  });
});

describe('genconfig', () => {
  test.each(['config.json', 'config.yaml', 'config.yml', 'config.toml'])(
    '%s is written once, for its owner only, and passes the strict check',
    async (config) => {
      const terminal = openTerminal();
      expect(await genConfigCommand({ config }, terminal.io)).toBe(0);
      expect(terminal.stdout()).toBe('');
      const path = join(terminal.directory, config);
      expect(statSync(path).mode & 0o777).toBe(0o600);
      const loaded = loadConfig({ path, env: {} });
      const { client, admin, httpApi } = loaded.config;
      expect(loaded.unknownKeys).toEqual([]);
      for (const secret of [client.token.hmacSecretKey, admin.secret, httpApi.key]) {
        expect(Buffer.from(secret, 'base64url')).toHaveLength(64);
      }
      expect(Buffer.from(admin.password, 'base64url')).toHaveLength(16);
      expect(await checkConfigCommand({ config, strict: true }, terminal.io)).toBe(0);
      expect(await genConfigCommand({ config }, terminal.io)).toBe(1);
      expect(terminal.stdout()).toBe(`error: output config file ${config} already exists\n`);
    },
  );

  test('another extension is refused', async () => {
    const terminal = openTerminal();
    expect(await genConfigCommand({ config: 'config.ini' }, terminal.io)).toBe(1);
    expect(terminal.stdout()).toMatch(/^error: .*json, toml, yaml, yml/);
  });
});

describe('defaultconfig', () => {
  test('a dry run prints every option', async () => {
    const terminal = openTerminal();
    expect(await defaultConfigCommand({ ...CONFIG, dryRun: true }, terminal.io)).toBe(0);
    const printed: unknown = JSON.parse(terminal.stdout());
    expect(printed).toMatchObject({ channel: { max_length: 255 }, client: { ping_interval: '25s' } });
  });

  test('a base file stands in place of defaults, and an existing file is left alone', async () => {
    const terminal = openTerminal({ 'base.json': '{"client":{"channel_limit":5}}' });
    const options = { config: 'full.yaml', base: 'base.json' };
    expect(await defaultConfigCommand(options, terminal.io)).toBe(0);
    const written = loadConfig({ path: join(terminal.directory, 'full.yaml'), env: {} });
    expect(written.config).toEqual({ ...defaultConfig(), client: { ...defaultConfig().client, channelLimit: 5 } });
    const before = readFileSync(join(terminal.directory, 'full.yaml'), 'utf8');
    expect(await defaultConfigCommand(options, terminal.io)).toBe(1);
    expect(readFileSync(join(terminal.directory, 'full.yaml'), 'utf8')).toBe(before);
    expect(await defaultConfigCommand({ ...options, base: 'none.json', dryRun: true }, terminal.io)).toBe(1);
  });
});

test('defaultenv prints sorted names, with texts in double quotes', async () => {
  const terminal = openTerminal({ 'base.json': '{"http_api":{"key":"k"}}' });
  expect(await defaultEnvCommand({ base: 'base.json' }, terminal.io)).toBe(0);
  const lines = terminal.stdout().trimEnd().split('\n');
  expect(lines).toEqual([...lines].sort());
  expect(lines).toContain('CENTRIFUGO_HTTP_API_KEY="k"');
  expect(lines).toContain('CENTRIFUGO_CHANNEL_MAX_LENGTH=255');
  expect(lines).toContain('CENTRIFUGO_CLIENT_PING_INTERVAL=25s');
  expect(lines).toContain('CENTRIFUGO_CLIENT_INSECURE=false');
  const short = openTerminal();
  expect(await defaultEnvCommand({ baseNonZeroOnly: true }, short.io)).toBe(0);
  expect(short.stdout()).not.toContain('CENTRIFUGO_CLIENT_INSECURE');
});

describe('configdoc', () => {
  test('one section or all is printed as Markdown', async () => {
    const terminal = openTerminal();
    const options = { markdown: true, section: 'rpc', port: 0, baseLevel: 1 };
    expect(await configDocCommand(options, terminal.io)).toBe(0);
    expect(terminal.stdout()).toMatch(/^### `rpc`\n/);
    expect(await configDocCommand({ ...options, section: 'none' }, terminal.io)).toBe(1);
  });

  test('the reference is served until the command is stopped', async () => {
    const terminal = openTerminal();
    terminal.interrupt();
    expect(await configDocCommand({ port: 0, baseLevel: 0 }, terminal.io)).toBe(0);
    expect(terminal.stdout()).toMatch(/^configuration reference on http:/);
  });
});

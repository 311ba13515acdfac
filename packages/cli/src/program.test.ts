import { expect, test } from 'vitest';
import { openTerminal } from './cli-fixture.ts';
import { createProgram, type RunService } from './program.ts';

/** Runs a command line; services only tell what they were asked. */
async function run(line: string, files: Readonly<Record<string, string>> = {}) {
  const terminal = openTerminal(files);
  const codes: number[] = [];
  const services: unknown[] = [];
  const runService: RunService = async (service, { config, flags }) => {
    services.push({ service, config, flags });
    return 0;
  };
  const program = createProgram({
    io: terminal.io,
    loadRunService: async () => runService,
    exit: (code) => void codes.push(code),
  });
  await program.parseAsync(line.split(' ').filter(Boolean), { from: 'user' });
  return { codes, services, stdout: terminal.stdout() };
}

test('no command serves, with the file in the working directory', async () => {
  expect((await run('')).services).toEqual([{ service: 'serve', config: 'config.json', flags: {} }]);
});

test.each(['serve', 'gateway', 'api', 'auth-policy'])('%s takes flags that mirror options', async (service) => {
  const line = `${service} -c my.yaml --http_server.port 9000 --client.insecure --health.enabled=false --nats.url nats://a`;
  expect((await run(line)).services).toEqual([
    {
      service,
      config: 'my.yaml',
      flags: {
        'http_server.port': '9000',
        'client.insecure': 'true',
        'health.enabled': 'false',
        'nats.url': 'nats://a',
      },
    },
  ]);
});

test('address and port have short flags', async () => {
  expect((await run('-a 127.0.0.1 -p 9000')).services).toEqual([
    {
      service: 'serve',
      config: 'config.json',
      flags: { 'http_server.address': '127.0.0.1', 'http_server.port': '9000' },
    },
  ]);
});

test('flags work without a command', async () => {
  expect((await run('--config a.json --client.insecure')).services).toEqual([
    { service: 'serve', config: 'a.json', flags: { 'client.insecure': 'true' } },
  ]);
});

test('commands give their exit code', async () => {
  expect(await run('checkconfig -c none.json')).toMatchObject({ codes: [1], stdout: 'config file not found\n' });
  expect(await run('checkconfig -s', { 'config.json': '{}' })).toMatchObject({ codes: [0], stdout: '' });
  expect((await run('gensubtoken -u 1')).codes).toEqual([1]);
  expect((await run('checktoken')).stdout).toMatch(/^error: provide token to check/);
  expect(await run('checksubtoken x -c none.json')).toMatchObject({
    codes: [1],
    stdout: 'error: the token is not a JWT\n',
  });
  expect((await run('gentoken -q -t -1', { 'config.json': '{"secret":"s"}' })).stdout).toMatch(/^eyJ/);
  expect((await run('configdoc -m -s gateway -l 2')).stdout).toMatch(/^#### `gateway`/);
});

import { createServer, type Server } from 'node:net';

import { afterEach, describe, expect, it } from 'vitest';

import { binaryProblem, isRecentEnough, serverProblem } from './nats-version.mjs';

const servers: Server[] = [];

async function serve(greeting: string): Promise<string> {
  const server = createServer((socket) => socket.end(greeting));
  servers.push(server);
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return `nats://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}

describe('isRecentEnough', () => {
  it('compares versions as numbers', () => {
    expect(['2.12.0', 'v2.15.2', '3.0.0', '2.12.1-RC.1'].map(isRecentEnough)).toEqual([true, true, true, true]);
    expect(['2.9.25', '2.11.9', '1.20.0', '0'].map(isRecentEnough)).toEqual([false, false, false, false]);
  });
});

describe('binaryProblem', () => {
  it('says why a binary cannot be used', () => {
    expect(binaryProblem('/nowhere/nats-server')).toBe('not there');
    expect(binaryProblem('/bin/true')).toBe('it does not tell its version');
  });
});

describe('serverProblem', () => {
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  it('accepts a recent server with JetStream', async () => {
    expect(await serverProblem(await serve('INFO {"version":"2.12.4","jetstream":true}\r\n'))).toBeUndefined();
  });

  it('says what is wrong with another one', async () => {
    expect(await serverProblem(await serve('INFO {"version":"2.9.1","jetstream":true}\r\n'))).toContain(
      '2.12.0 or later',
    );
    expect(await serverProblem(await serve('INFO {"version":"2.12.4"}\r\n'))).toContain('JetStream is off');
    expect(await serverProblem(await serve('HTTP/1.1 400 Bad Request\r\n'))).toContain('not a NATS server');
    expect(await serverProblem('nats://127.0.0.1:1')).toContain('ECONNREFUSED');
  });
});

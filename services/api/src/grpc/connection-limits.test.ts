import { once } from 'node:events';
import { connect as connectHttp2, type Settings } from 'node:http2';
import { connect } from 'node:net';
import { createSilentLog, Health, systemClock } from '@carillon/service-kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { apiSettings } from '../config.ts';
import { configOf } from '../fixture/start-api.ts';
import { CONNECTION_LIMITS, connectionOptions, type ConnectionLimits } from './connection-limits.ts';
import { GrpcApi } from './grpc-server.ts';

const QUICK: ConnectionLimits = {
  maxConcurrentCalls: 7,
  idleMs: 150,
  pingIntervalMs: 100,
  pingTimeoutMs: 50,
  ageMs: 60_000,
  ageGraceMs: 100,
};

describe('a connection of the gRPC API', () => {
  let api: GrpcApi;
  let port: number;

  beforeEach(async () => {
    api = new GrpcApi({
      settings: { ...apiSettings(configOf({ grpc_api: { enabled: true } })).grpc, address: '127.0.0.1', port: 0 },
      table: new Map(),
      follow: undefined,
      health: new Health(),
      clock: systemClock,
      log: createSilentLog(),
      limits: QUICK,
    });
    port = await api.listen();
  });
  afterEach(() => api.close());

  it('ends when its caller never says a word', async () => {
    const silent = connect(port, '127.0.0.1');
    silent.on('error', () => undefined);
    silent.resume();
    await once(silent, 'close');
  });

  it('ends when its caller calls nothing, and may hold so many calls', async () => {
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    const [settings]: Settings[] = await once(session, 'remoteSettings');
    expect(settings?.maxConcurrentStreams).toBe(7);
    await once(session, 'close');
  });

  it('has limits outside of tests', () => {
    for (const value of Object.values(connectionOptions(CONNECTION_LIMITS))) expect(value).toBeGreaterThan(0);
  });
});

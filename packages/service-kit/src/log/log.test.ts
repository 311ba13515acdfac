import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { FakeClock } from '../fake-clock.ts';
import { OperationalError } from '../operational-error.ts';
import { createLog, createSilentLog, type LogOptions } from './log.ts';

function capture(options: LogOptions = {}) {
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) };
  return { lines, log: createLog({ clock: new FakeClock(0), ...options, destination }) };
}

describe('createLog', () => {
  it('writes one JSON object with time, level, message and fields', () => {
    const { log, lines } = capture({ fields: { service: 'gateway' } });
    log.info('client connected', { client: 'c1', count: 3n });
    const time = '1970-01-01T00:00:00.000Z';
    expect(lines).toEqual([
      { level: 'info', time, service: 'gateway', client: 'c1', count: '3', msg: 'client connected' },
    ]);
  });

  it('writes only what the level lets through', () => {
    const { log, lines } = capture({ level: 'WARN' });
    log.info('no');
    log.warn('yes');
    expect(lines.map(({ msg }) => msg)).toEqual(['yes']);
    expect([log.isEnabled('info'), log.isEnabled('error')]).toEqual([false, true]);
  });

  it('writes nothing at level none', () => {
    const { log, lines } = capture({ level: 'none' });
    log.fatal('no');
    expect(lines).toEqual([]);
    expect(createSilentLog().isEnabled('fatal')).toBe(false);
  });

  it('takes info for an unknown level and says so', () => {
    const { log, lines } = capture({ level: 'loud' });
    log.debug('no');
    log.info('yes');
    expect(lines.map(({ level, msg }) => [level, msg])).toEqual([
      ['warn', 'unknown log level, using info'],
      ['info', 'yes'],
    ]);
  });

  it('keeps fields that are named as parts of the line apart from them', () => {
    const { log, lines } = capture();
    log.info('ready', { level: 'high', time: 5, msg: 'x' });
    expect(lines[0]).toMatchObject({ level: 'info', level_: 'high', time_: 5, msg: 'ready', msg_: 'x' });
  });

  it('adds the fields of a child to each of its lines', () => {
    const { log, lines } = capture();
    log.child({ node: 'n1', token: 'secret' }).child({ channel: 'chat:1' }).warn('slow');
    expect(lines[0]).toMatchObject({ node: 'n1', token: '[redacted]', channel: 'chat:1', msg: 'slow' });
  });

  it('redacts fields that hold secrets at any depth, and only those', () => {
    const { log, lines } = capture();
    log.info('configured', {
      client: { token: { hmac_secret_key: 'x', audience: 'me' } },
      http_api: { key: 'x' },
      headers: [{ 'X-API-Key': 'x', Authorization: 'apikey x', accept: '*/*' }],
      accessToken: 'x',
      secret: '',
      tokens: 3,
      keyCount: 2,
    });
    expect(lines[0]).toMatchObject({
      client: { token: '[redacted]' },
      http_api: { key: '[redacted]' },
      headers: [{ 'X-API-Key': '[redacted]', Authorization: '[redacted]', accept: '*/*' }],
      accessToken: '[redacted]',
      secret: '',
      tokens: 3,
      keyCount: 2,
    });
  });

  it('keeps code, stack and cause of an error', () => {
    const { log, lines } = capture();
    const cause = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
    log.error('cannot publish', { error: new OperationalError('nats_away', 'NATS is away', { cause }) });
    expect(lines[0]?.['error']).toMatchObject({
      type: 'OperationalError',
      code: 'nats_away',
      message: 'NATS is away',
      stack: expect.stringContaining('log.test.ts'),
      cause: { code: 'ECONNREFUSED', message: 'refused' },
    });
  });

  it('survives fields that refer to themselves', () => {
    const { log, lines } = capture();
    const loop: Record<string, unknown> = {};
    loop['self'] = loop;
    log.info('loop', { loop });
    expect(JSON.stringify(lines[0])).toContain('[deeper]');
  });

  it('appends to the configured file', () => {
    const dir = mkdtempSync(join(tmpdir(), 'carillon-log-'));
    const file = join(dir, 'carillon.log');
    createLog({ file }).info('first');
    createLog({ file }).info('second');
    const messages = readFileSync(file, 'utf8').trim().split('\n');
    expect(messages.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual(['first', 'second']);
    rmSync(dir, { recursive: true });
  });
});

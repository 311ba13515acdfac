import { createMetrics, FakeClock } from '@carillon/service-kit';
import { describe, expect, it, onTestFinished } from 'vitest';

import { NO_RECEIVER, NO_SESSIONS, type EngineParts } from './engine.ts';
import { memoryEngine } from './memory/memory-engine.ts';
import { meteredEngine } from './metered-engine.ts';

const RETENTION = { historySize: 10, historyTtlMs: 60_000, historyMetaTtlMs: 60_000 };
const INFO = { user: 'u', client: 'c' };

async function startEngine(parts: Partial<EngineParts> = {}) {
  const clock = new FakeClock();
  const metrics = createMetrics({ prefix: 'carillon', withProcessMetrics: false });
  const node = { name: 'n', role: 'standalone', version: 'v' } as const;
  const createEngine = meteredEngine({ createEngine: memoryEngine({ clock, node }), metrics, clock });
  const engine = await createEngine({ receiver: NO_RECEIVER, handler: NO_SESSIONS, ...parts });
  onTestFinished(() => engine.close());
  const value = async (name: string): Promise<string | undefined> =>
    (await metrics.render()).body
      .split('\n')
      .find((line) => line.startsWith(`carillon_${name} `))
      ?.split(' ')
      .pop();
  return { engine, clock, value };
}

describe('meteredEngine', () => {
  it('counts what goes to the broker and what comes from it, by type', async () => {
    const { engine, value } = await startEngine();
    await engine.broker.join('a', {});
    await engine.broker.publish({ channel: 'a', data: Buffer.from('{}') });
    await engine.broker.publishJoin('a', INFO);
    await engine.broker.publishLeave('a', INFO);
    await engine.control.broadcast({ kind: 'rules_changed' });
    for (const direction of ['sent', 'received']) {
      for (const type of ['publication', 'join', 'leave', 'control']) {
        expect(await value(`node_messages_${direction}_count{type="${type}"}`), `${direction} ${type}`).toBe('1');
      }
    }
  });

  it('measures how old a publication is and how long its subscribers take', async () => {
    const { engine, clock, value } = await startEngine({
      receiver: { ...NO_RECEIVER, onPublication: () => clock.advanceSync(250) },
    });
    await engine.broker.join('a', {});
    await engine.broker.publish({ channel: 'a', data: Buffer.from('{}') });
    expect(await value('node_broadcast_duration_seconds_sum{type="publication"}')).toBe('0.25');
    expect(await value('node_pub_sub_lag_seconds_count{type="publication"}')).toBe('1');
  });

  it('tells publishes that were repeated from those that published', async () => {
    const { engine, value } = await startEngine();
    const request = { channel: 'a', data: Buffer.from('{}'), retention: RETENTION };
    for (const version of [2, 1]) await engine.broker.publish({ ...request, version });
    for (let n = 0; n < 3; n += 1) await engine.broker.publish({ ...request, idempotencyKey: 'k' });
    expect(await value('broker_publish_suppressed_count{reason="version"}')).toBe('1');
    expect(await value('broker_publish_suppressed_count{reason="idempotency"}')).toBe('2');
  });

  it('counts operations, and surveys by question', async () => {
    const { engine, value } = await startEngine();
    await engine.broker.history('a', { retention: RETENTION, limit: 0 });
    await engine.broker.removeHistory('a', RETENTION);
    await engine.presence.add('a', INFO);
    await engine.presence.members('a');
    await engine.presence.stats('a');
    await engine.presence.remove('a', 'c');
    await engine.control.survey({ kind: 'stats' }, 1000);
    const actions = [
      'history',
      'history_remove',
      'add_presence',
      'presence',
      'presence_stats',
      'remove_presence',
      'survey',
    ];
    for (const action of actions) expect(await value(`node_action_count{action="${action}"}`), action).toBe('1');
    expect(await value('node_survey_duration_seconds_count{op="stats"}')).toBe('1');
    expect(await value('node_survey_duration_seconds_histogram_count{op="stats"}')).toBe('1');
  });
});

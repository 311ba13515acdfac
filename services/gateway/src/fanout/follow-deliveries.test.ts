import { createLog, createSilentLog } from '@carillon/service-kit';
import { RecordingTracing } from '@carillon/service-kit/tracing';
import { describe, expect, it } from 'vitest';
import { createDeliveryFollower } from './follow-deliveries.ts';

const TRACE = { traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8), isSampled: true };
const LIVE = { publication: { data: Buffer.from('1'), offset: 7 }, epoch: 'e', delta: false, publishedAt: 1 };

describe('deliveries that are followed', () => {
  it('are spans below the publish, with who and where', () => {
    const tracing = new RecordingTracing();
    const follow = createDeliveryFollower({ tracing, log: createSilentLog() });
    const end = follow?.('news', { ...LIVE, trace: TRACE }, 3);
    expect(tracing.spans[0]).toMatchObject({ name: 'deliver', parent: TRACE, hasEnded: false });
    expect(tracing.spans[0]?.attributes).toMatchObject({
      'messaging.destination.name': 'news',
      'carillon.offset': 7,
      'carillon.epoch': 'e',
      'carillon.subscribers': 3,
      'carillon.node': 'recording',
    });
    end?.();
    expect(tracing.spans[0]?.hasEnded).toBe(true);
  });

  it('are none where the publication brings no trace', () => {
    const tracing = new RecordingTracing();
    expect(createDeliveryFollower({ tracing, log: createSilentLog() })?.('news', LIVE, 3)).toBeUndefined();
    expect(tracing.spans).toEqual([]);
  });

  it('are lines in the log of level debug', () => {
    const lines: unknown[] = [];
    const log = createLog({ level: 'debug', destination: { write: (line) => void lines.push(JSON.parse(line)) } });
    createDeliveryFollower({ tracing: undefined, log })?.('news', { ...LIVE, trace: TRACE }, 3);
    expect(lines).toMatchObject([{ channel: 'news', offset: 7, epoch: 'e', subscribers: 3, trace_id: TRACE.traceId }]);
  });

  it('cost nothing where nobody follows: there is no follower at all', () => {
    expect(createDeliveryFollower({ tracing: undefined, log: createSilentLog() })).toBeUndefined();
  });
});

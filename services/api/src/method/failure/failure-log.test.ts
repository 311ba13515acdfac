import { createLog, FakeClock, OperationalError } from '@carillon/service-kit';
import { describe, expect, it } from 'vitest';
import { createFailureLog } from './failure-log.ts';

describe('the log of failed methods', () => {
  it('writes a line a second and says how many it left out', async () => {
    const lines: { level: string; unwritten: number }[] = [];
    const clock = new FakeClock();
    const log = createLog({ clock, destination: { write: (line) => void lines.push(JSON.parse(line) as never) } });
    const report = createFailureLog({ log, clock });
    const away = new OperationalError('nats_away', 'NATS is away');
    for (let i = 0; i < 5; i++) report(away);
    expect(lines).toMatchObject([{ level: 'warn', unwritten: 0 }]);
    await clock.advance(1_000);
    report(new TypeError('a bug'));
    expect(lines.slice(1)).toMatchObject([{ level: 'error', unwritten: 4 }]);
  });
});

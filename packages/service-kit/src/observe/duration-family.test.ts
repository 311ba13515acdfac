import { expect, test } from 'vitest';
import { createMetrics } from '../metrics.ts';
import { durationFamily } from './duration-family.ts';

test('a duration is counted in the summary and in the histogram of its name, until both are removed', async () => {
  const metrics = createMetrics({ prefix: 'test' });
  const durations = durationFamily(metrics, { name: 'call_seconds', help: 'Calls', labels: ['op'] });
  durations.with({ op: 'a' }).observe(0.5);
  const { body } = await metrics.render();
  expect(body).toContain('test_call_seconds_sum{op="a"} 0.5');
  expect(body).toContain('test_call_seconds_histogram_sum{op="a"} 0.5');
  durations.remove({ op: 'a' });
  expect((await metrics.render()).body).not.toContain('op="a"');
});

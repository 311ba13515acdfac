// npm run test:chaos: the chaos tests with ten times the deliveries of npm test. CHAOS_SEED repeats the operations of a run.
process.env['CHAOS_DELIVERIES'] ??= '1000000';
process.env['CHAOS_DEADLINE_MS'] ??= '1200000';
process.argv.splice(2, 0, '--project', 'chaos');
await import('./test.mjs');

import { defineConfig } from 'vitest/config';

const conditions = ['development', 'node', 'import', 'module'];

/**
 * Sockets and processes on a shared machine may lose seconds to a neighbour: in CI a test gets a second try, and the run
 * names at its end who needed it. On a developer's machine it gets none.
 */
const retry = process.env['CI'] === undefined ? 0 : 1;

/** Projects by what a test may use: nothing (unit), a real NATS server (nats), whole processes (e2e, conformance, chaos). */
export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    reporters: ['default'],
    passWithNoTests: true,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          retry,
          include: ['{packages,services}/*/src/**/*.test.ts', 'test/docs/**/*.test.ts'],
          exclude: ['**/*.nats.test.ts', '**/*.e2e.test.ts', '**/dist/**', '**/node_modules/**'],
          testTimeout: 30_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'nats',
          retry,
          include: ['{packages,services}/*/src/**/*.nats.test.ts'],
          exclude: ['**/dist/**', '**/node_modules/**'],
          testTimeout: 30_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          retry,
          include: ['test/{e2e,conformance}/**/*.test.ts', 'test/docs/**/*.e2e.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          maxWorkers: 2,
          maxConcurrency: 24,
        },
      },
      {
        extends: true,
        test: {
          name: 'chaos',
          retry,
          include: ['test/chaos/**/*.test.ts'],
          testTimeout: 600_000,
          hookTimeout: 120_000,
          maxWorkers: 1,
          // Alone and last: it kills processes and counts on the machine.
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'containers',
          include: ['test/containers/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          maxWorkers: 1,
          // The reaper of Testcontainers is an image of its own; the tests stop what they start.
          env: { TESTCONTAINERS_RYUK_DISABLED: 'true' },
        },
      },
      {
        extends: true,
        test: {
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          testTimeout: 90_000,
          hookTimeout: 120_000,
          maxWorkers: 1,
        },
      },
      {
        extends: true,
        test: {
          name: 'soak',
          include: ['test/soak/**/*.test.ts'],
          testTimeout: 600_000,
          hookTimeout: 120_000,
          maxWorkers: 1,
        },
      },
    ],
  },
});

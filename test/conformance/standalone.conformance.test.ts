import { describe } from 'vitest';

import { startStandalone } from '../harness/standalone.ts';
import { runScenarios } from './run-scenarios.ts';

describe('standalone', () => {
  runScenarios({ kind: 'standalone', start: startStandalone });
});

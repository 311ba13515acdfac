import { describe, expect, it } from 'vitest';

import { countResults } from './test-results.mjs';

const report = (passed: number, failed: number, files: object[] = []): string =>
  JSON.stringify({ numPassedTests: passed, numFailedTests: failed, testResults: files });

describe('countResults', () => {
  it('counts tests', () => {
    expect(countResults(report(5, 0), 0)).toEqual({ passed: 5, failed: 0 });
    const failing = { status: 'failed', assertionResults: [{ status: 'failed' }, { status: 'passed' }] };
    expect(countResults(report(5, 2, [failing]), 1)).toEqual({ passed: 5, failed: 2 });
  });

  it('counts a file that did not load as a failure', () => {
    const broken = { status: 'failed', assertionResults: [] };
    expect(countResults(report(5, 0, [broken]), 1)).toEqual({ passed: 5, failed: 1 });
  });

  it('counts a run that failed for another reason, or left no report, as a failure', () => {
    expect(countResults(report(5, 0), 1)).toEqual({ passed: 5, failed: 1 });
    expect(countResults('', 0)).toEqual({ passed: 0, failed: 1 });
  });
});

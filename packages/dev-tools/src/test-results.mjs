/**
 * Counts what vitest's JSON report says. A file that failed without a failing test of its own (it did not load, a hook
 * threw) counts as one failure, and so does a run that failed for no reason in the report.
 */
export function countResults(report, exitCode) {
  if (report === '') return { passed: 0, failed: 1 };
  const { numPassedTests = 0, numFailedTests = 0, testResults = [] } = JSON.parse(report);
  const isBroken = ({ status, assertionResults }) =>
    status === 'failed' && !assertionResults.some((assertion) => assertion.status === 'failed');
  const failed = numFailedTests + testResults.filter(isBroken).length;
  return { passed: numPassedTests, failed: failed === 0 && exitCode !== 0 ? 1 : failed };
}

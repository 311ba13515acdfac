// A page that a person can read, in place of k6's list of everything. SUMMARY_JSON=file keeps all figures.

const count = (metrics, name) => (metrics[name] === undefined ? 0 : metrics[name].values.count);
const ms = (value) => (value === undefined ? '-' : `${value.toFixed(1)} ms`);

function times(metrics, name) {
  const values = metrics[name] === undefined ? undefined : metrics[name].values;
  if (values === undefined || values.count === 0) return '-';
  return `median ${ms(values.med)}, p95 ${ms(values['p(95)'])}, p99 ${ms(values['p(99)'])}, max ${ms(values.max)}`;
}

function brokenThresholds(metrics) {
  return Object.entries(metrics).flatMap(([name, { thresholds = {} }]) =>
    Object.entries(thresholds).flatMap(([rule, { ok }]) => (ok ? [] : [`${name}: ${rule}`])),
  );
}

/** For `handleSummary` of a scenario. */
export const summaryOf = (title) => (data) => {
  const { metrics } = data;
  const broken = brokenThresholds(metrics);
  const seconds = data.state.testRunDurationMs / 1000;
  const rows = [
    ['connects', `${count(metrics, 'carillon_connects')} (${count(metrics, 'carillon_connect_failures')} failed)`],
    ['connect and subscribe', times(metrics, 'carillon_connect_ms')],
    ['published', `${count(metrics, 'carillon_published')} (${count(metrics, 'carillon_publish_failures')} failed)`],
    ['publish call', times(metrics, 'http_req_duration{kind:publish}')],
    ['delivered', `${count(metrics, 'carillon_received')} of ${count(metrics, 'carillon_expected')}`],
    ['lost, doubled', `${count(metrics, 'carillon_lost')}, ${count(metrics, 'carillon_doubled')}`],
    ['publish to delivery', times(metrics, 'carillon_delivery_ms')],
    ['recoveries', `${count(metrics, 'carillon_recoveries')} (${count(metrics, 'carillon_recovery_failures')} failed)`],
    ['verdict', broken.length === 0 ? 'all thresholds hold' : `BROKEN ${broken.join('; ')}`],
  ];
  const text = [`${title}, ${seconds.toFixed(0)} s`, ...rows.map(([name, value]) => `  ${name.padEnd(22)} ${value}`)];
  const outputs = { stdout: `${text.join('\n')}\n` };
  if (__ENV.SUMMARY_JSON) outputs[__ENV.SUMMARY_JSON] = JSON.stringify(data, null, 2);
  return outputs;
};

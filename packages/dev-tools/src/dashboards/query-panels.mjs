// The panels of a dashboard with what Prometheus has for them over the last minutes.
const TIMEOUT_MS = 20_000;
/** Grafana takes four times the scrape interval, which is 5 s here. */
const RATE_INTERVAL = '20s';
const MAX_POINTS = 240;

/**
 * Each panel as `{ title, type, unit, gridPos, series }`, each series as `{ label, points: [[unix seconds, value], …] }`.
 * Throws on an expression that Prometheus refuses.
 */
export async function queryPanels(prometheusUrl, { panels }, { minutes }) {
  const end = Date.now() / 1000;
  const step = Math.max(5, Math.ceil((minutes * 60) / MAX_POINTS));
  const range = { start: end - minutes * 60, end, step };
  const all = [];
  for (const panel of panels) {
    const series = [];
    for (const target of panel.targets) series.push(...(await querySeries(prometheusUrl, target, range)));
    const { unit = 'short' } = panel.fieldConfig?.defaults ?? {};
    all.push({ title: panel.title, type: panel.type, unit, gridPos: panel.gridPos, series, range });
  }
  return all;
}

async function querySeries(prometheusUrl, { expr, legendFormat = '' }, { start, end, step }) {
  const query = expr.replaceAll('$__rate_interval', RATE_INTERVAL);
  const parameters = new URLSearchParams({ query, start, end, step });
  const response = await fetch(`${prometheusUrl}/api/v1/query_range?${parameters.toString()}`, {
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const { status, error, data } = await response.json();
  if (status !== 'success') throw new Error(`${expr}: ${error}`);
  const all = data.result.map(({ metric, values }) => ({
    label: legendFormat.replaceAll(/\{\{(\w+)\}\}/g, (_all, name) => metric[name] ?? ''),
    points: values.map(([time, value]) => [time, Number(value)]).filter(([, value]) => Number.isFinite(value)),
  }));
  return all.filter(({ points }) => points.length > 0);
}

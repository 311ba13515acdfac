// Draws the dashboards of deploy/observability as pictures, without Grafana: the panels of each file with what a running
// Prometheus answers to their expressions. Tells which panels have no data.
//   node packages/dev-tools/src/dashboards/draw-dashboards.mjs http://localhost:9090 [minutes] [folder]
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { provideChromium } from '../browser/provide-chromium.mjs';
import { drawPanel } from './draw-panel.mjs';
import { queryPanels } from './query-panels.mjs';
import { shrinkPng } from './shrink-png.mjs';
import { ROOT } from '../workspace.mjs';

const DASHBOARDS = join(ROOT, 'deploy/observability/grafana/dashboards');
/** Of the 24 columns and of the rows of Grafana's grid. */
const COLUMN_PX = 50;
const ROW_PX = 27;
const GAP_PX = 8;
const HEAD_PX = 44;
const SHOT_TIMEOUT_MS = 60_000;

function pageOf({ title }, panels) {
  const rows = Math.max(...panels.map(({ gridPos }) => gridPos.y + gridPos.h));
  const [width, height] = [24 * COLUMN_PX + GAP_PX, rows * ROW_PX + HEAD_PX];
  const boxes = panels.map((panel) => {
    const { x, y, w, h } = panel.gridPos;
    const box = { width: w * COLUMN_PX - GAP_PX, height: h * ROW_PX - GAP_PX };
    return `<g transform="translate(${x * COLUMN_PX + GAP_PX} ${y * ROW_PX + HEAD_PX})">${drawPanel(panel, box)}</g>`;
  });
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif">
    <rect width="100%" height="100%" fill="#111217"/>
    <text x="${GAP_PX}" y="28" fill="#e6e9ef" font-size="18">${title}</text>${boxes.join('')}</svg>`;
  return { html: `<!doctype html><meta charset="utf-8"><body style="margin:0">${svg}`, width, height };
}

function photograph(chromium, { html, width, height }, file) {
  const folder = mkdtempSync(join(tmpdir(), 'carillon-dashboard-'));
  try {
    writeFileSync(join(folder, 'page.html'), html);
    const flags = [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--hide-scrollbars',
      `--user-data-dir=${folder}/profile`,
    ];
    const shot = [`--window-size=${width},${height}`, `--screenshot=${file}`, join(folder, 'page.html')];
    const { status, stderr } = spawnSync(chromium, [...flags, ...shot], { encoding: 'utf8', timeout: SHOT_TIMEOUT_MS });
    if (status !== 0) throw new Error(`${chromium} ended with ${status}: ${stderr}`);
    writeFileSync(file, shrinkPng(readFileSync(file)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function main() {
  const [url, minutes = '15', out = 'docs/images'] = process.argv.slice(2);
  if (url === undefined) throw new Error('usage: draw-dashboards.mjs URL_OF_PROMETHEUS [minutes] [folder]');
  const chromium = provideChromium((line) => console.log(`carillon: ${line}`));
  mkdirSync(resolve(out), { recursive: true });
  for (const file of readdirSync(DASHBOARDS)) {
    const dashboard = JSON.parse(readFileSync(join(DASHBOARDS, file), 'utf8'));
    const panels = await queryPanels(url, dashboard, { minutes: Number(minutes) });
    const picture = join(resolve(out), file.replace('.json', '.png'));
    photograph(chromium, pageOf(dashboard, panels), picture);
    const empty = panels.filter(({ series }) => series.every(({ points }) => points.length === 0));
    console.log(`${picture}: ${panels.length} panels`);
    for (const { title } of empty) console.log(`   no data: ${title}`);
  }
}

try {
  await main();
} catch (error) {
  console.error(`carillon: ${error.message}`);
  process.exitCode = 1;
}

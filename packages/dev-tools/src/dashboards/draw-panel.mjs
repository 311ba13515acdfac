// A panel as a piece of SVG: lines over time, or one number.
const COLOURS = [
  '#4f8cc9',
  '#e0a030',
  '#5aa469',
  '#c9576b',
  '#8e6bbf',
  '#3fb0ac',
  '#b7791f',
  '#7d8590',
  '#d2691e',
  '#9acd32',
];
const LEFT = 58;
const RIGHT = 12;
const TOP = 30;
const LEGEND_LINE = 15;
const AXIS = 18;
const LINES = 4;
const MAX_LEGEND = 12;
const TEXT = '#c7ccd4';

/** `box` in pixels. */
export function drawPanel(panel, box) {
  const frame = `<rect width="${box.width}" height="${box.height}" rx="3" fill="#181b1f" stroke="#2c3037"/>
    <text x="10" y="19" fill="#e6e9ef" font-size="13" font-weight="600">${escape(panel.title)}</text>`;
  const hasData = panel.series.some(({ points }) => points.length > 0);
  if (!hasData) return `${frame}${centred(box, 'no data', 14, '#7d8590')}`;
  if (panel.type === 'stat') {
    const last = panel.series[0].points.at(-1)[1];
    return `${frame}${centred(box, format(last, panel.unit), 40, '#5aa469')}`;
  }
  return frame + drawLines(panel, box);
}

function drawLines({ series, unit, range }, { width, height }) {
  const legend = legendOf(series, width);
  const bottom = height - AXIS - legend.height;
  const top = niceMax(Math.max(...series.flatMap(({ points }) => points.map(([, value]) => value)), 0));
  const x = (time) => LEFT + ((time - range.start) / (range.end - range.start)) * (width - LEFT - RIGHT);
  const y = (value) => bottom - (value / top) * (bottom - TOP);
  const parts = [];
  for (let n = 0; n <= LINES; n += 1) {
    const value = (top * n) / LINES;
    parts.push(
      `<line x1="${LEFT}" x2="${width - RIGHT}" y1="${y(value)}" y2="${y(value)}" stroke="#2c3037"/>`,
      `<text x="${LEFT - 6}" y="${y(value) + 4}" text-anchor="end" fill="${TEXT}" font-size="11">${format(value, unit)}</text>`,
    );
    const time = range.start + ((range.end - range.start) * n) / LINES;
    const clock = new Date(time * 1000).toISOString().slice(11, 16);
    parts.push(
      `<text x="${x(time)}" y="${bottom + 14}" text-anchor="${n === LINES ? 'end' : 'middle'}" fill="${TEXT}" font-size="11">${clock}</text>`,
    );
  }
  for (const [index, { points }] of series.entries()) {
    for (const piece of unbroken(points, range.step)) {
      const path = piece.map(
        ([time, value], n) => `${n === 0 ? 'M' : 'L'}${x(time).toFixed(1)} ${y(value).toFixed(1)}`,
      );
      parts.push(`<path d="${path.join('')}" fill="none" stroke="${colour(index)}" stroke-width="1.5"/>`);
    }
  }
  return parts.join('') + legend.draw(bottom + AXIS + 8);
}

/** Names below the axis, as many to a line as there is room for. */
function legendOf(series, width) {
  const shown = series.slice(0, MAX_LEGEND);
  const longest = Math.max(...shown.map(({ label }) => label.length), 4) * 6.3 + 26;
  const columns = Math.max(1, Math.floor((width - LEFT) / longest));
  const draw = (top) =>
    shown
      .map(({ label }, n) => {
        const [left, y] = [LEFT + (n % columns) * longest, top + Math.floor(n / columns) * LEGEND_LINE];
        return `<rect x="${left}" y="${y}" width="12" height="3" fill="${colour(n)}"/>
          <text x="${left + 17}" y="${y + 5}" fill="${TEXT}" font-size="11">${escape(label)}</text>`;
      })
      .join('');
  return { height: Math.ceil(shown.length / columns) * LEGEND_LINE + 6, draw };
}

/** Where samples are missing the line is broken. */
function unbroken(points, step) {
  const pieces = [];
  for (const point of points) {
    const last = pieces.at(-1)?.at(-1);
    if (last !== undefined && point[0] - last[0] <= step * 1.5) pieces.at(-1).push(point);
    else pieces.push([point]);
  }
  return pieces.filter((piece) => piece.length > 1);
}

const colour = (index) => COLOURS[index % COLOURS.length];

function niceMax(value) {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10].find((factor) => factor * power >= value) * power;
}

function format(value, unit) {
  if (unit === 's')
    return value >= 1 ? `${round(value)} s` : value >= 0.001 ? `${round(value * 1e3)} ms` : `${round(value * 1e6)} µs`;
  const [base, suffix] = unit === 'bytes' || unit === 'Bps' ? [1024, 'B'] : [1000, ''];
  const powers = ['', 'k', 'M', 'G', 'T'];
  let power = 0;
  let rest = value;
  for (; rest >= base && power < powers.length - 1; power += 1) rest /= base;
  const ending = { Bps: '/s', percent: ' %' }[unit] ?? '';
  return `${round(rest)}${suffix === '' ? powers[power] : ` ${powers[power]}${suffix}`}${ending}`;
}

const round = (value) => String(Number(value.toPrecision(3)));

function centred({ width, height }, text, size, fill) {
  return `<text x="${width / 2}" y="${height / 2 + size / 3 + 6}" text-anchor="middle" fill="${fill}" font-size="${size}">${escape(text)}</text>`;
}

function escape(text) {
  return String(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

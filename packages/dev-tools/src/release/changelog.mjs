// The changelog of the whole cluster, one entry a release. Pure: text in, text out.

const UNRELEASED = '## [Unreleased]';
/** Sections in the order of Keep a Changelog. */
const SECTIONS = ['Added', 'Changed', 'Deprecated', 'Removed', 'Fixed', 'Security'];
const SECTION_OF = { major: 'Changed', minor: 'Added', patch: 'Fixed' };
const WRAP_AT = 120;

/**
 * The entry of a version: what stands under Unreleased, and the notes of the changesets in the sections of their kinds.
 * `notes` are `{ type, summary }`, the type being major, minor or patch.
 */
export function releaseEntry({ changelog, notes, version, date }) {
  const sections = sectionsOf(unreleasedOf(changelog));
  for (const { type, summary } of notes) {
    const title = SECTION_OF[type];
    if (title !== undefined) sections.set(title, [...(sections.get(title) ?? []), ...bulletOf(summary)]);
  }
  const known = SECTIONS.filter((title) => sections.has(title));
  const others = [...sections.keys()].filter((title) => !SECTIONS.includes(title));
  const parts = [...others, ...known].map((title) => {
    const text = sections.get(title).join('\n').trim();
    return title === '' ? text : `### ${title}\n\n${text}`;
  });
  return [`## [${version}] - ${date}`, ...parts.filter((text) => text !== '')].join('\n\n');
}

/** The changelog with that entry under an empty Unreleased. */
export function withEntry(changelog, entry) {
  const unreleased = unreleasedOf(changelog);
  const start = changelog.indexOf(UNRELEASED) + UNRELEASED.length;
  const rest = changelog.slice(start + unreleased.length).trimStart();
  return `${`${changelog.slice(0, start)}\n\n${entry}\n\n${rest}`.trimEnd()}\n`;
}

function unreleasedOf(changelog) {
  const start = changelog.indexOf(UNRELEASED);
  if (start === -1) throw new Error(`CHANGELOG.md has no ${UNRELEASED}`);
  const rest = changelog.slice(start + UNRELEASED.length);
  const end = rest.search(/^## /m);
  return end === -1 ? rest : rest.slice(0, end);
}

/** Lines by section; '' is what stands before the first. */
function sectionsOf(text) {
  const sections = new Map();
  let title = '';
  for (const line of text.trim().split('\n')) {
    const [, heading] = /^### (.+)$/.exec(line) ?? [];
    if (heading !== undefined) title = heading;
    const lines = sections.get(title) ?? [];
    if (heading === undefined && !(lines.length === 0 && line === '')) lines.push(line);
    sections.set(title, lines);
  }
  for (const [name, lines] of sections) {
    while (lines.at(-1) === '') lines.pop();
    if (name === '' && lines.length === 0) sections.delete(name);
  }
  return sections;
}

function bulletOf(summary) {
  const lines = [];
  let line = '-';
  for (const word of summary.trim().split(/\s+/)) {
    if (line.length + word.length >= WRAP_AT) {
      lines.push(line);
      line = ' ';
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}

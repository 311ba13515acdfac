// Makes a folder the next release: versions by changesets, the changelog, and the places that name the version.
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { carillonNode, commandScript } from '../workspace.mjs';
import { releaseEntry, withEntry } from './changelog.mjs';
import { writeVersion } from './version-places.mjs';

const TIMEOUT_MS = 60_000;
const KINDS = ['major', 'minor', 'patch'];

/**
 * `{ from, version, entry, notes }` of the release that `root` is afterwards. Without changesets the version stays: a
 * version that was never released needs none.
 */
export function applyRelease(root, date) {
  const from = versionOf(root);
  const notes = pendingNotes(root);
  if (notes.length > 0) runChangesets(root);
  const version = versionOf(root);
  const file = join(root, 'CHANGELOG.md');
  const changelog = readFileSync(file, 'utf8');
  const entry = releaseEntry({ changelog, notes, version, date });
  writeFileSync(file, withEntry(changelog, entry));
  writeVersion(root, version);
  return { from, version, entry, notes };
}

/** Any of the fixed group: all have the same. */
function versionOf(root) {
  return JSON.parse(readFileSync(join(root, 'packages/cli/package.json'), 'utf8')).version;
}

/** `{ type, summary }` of each changeset. */
export function pendingNotes(root) {
  const folder = join(root, '.changeset');
  const files = readdirSync(folder).filter((name) => name.endsWith('.md') && name !== 'README.md');
  return files.toSorted().map((name) => noteOf(name, readFileSync(join(folder, name), 'utf8')));
}

function noteOf(name, text) {
  const [, head = '', summary = ''] = /^---\n([^]*?)\n?---\n([^]*)$/.exec(text) ?? [];
  const types = [...head.matchAll(/:\s*(\w+)\s*$/gm)].map(([, type]) => type);
  const type = KINDS.find((kind) => types.includes(kind));
  if (type === undefined || summary.trim() === '') throw new Error(`.changeset/${name} is no changeset with a note`);
  return { type, summary: summary.trim() };
}

function runChangesets(root) {
  const args = [commandScript('@changesets/cli', 'changeset'), 'version'];
  const { status, stdout, stderr } = spawnSync(carillonNode(), args, {
    cwd: root,
    encoding: 'utf8',
    timeout: TIMEOUT_MS,
  });
  if (status !== 0) throw new Error(`changeset version ended with ${status}:\n${stdout}${stderr}`);
}

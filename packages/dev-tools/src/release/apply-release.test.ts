import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';

import { carillonNode, ROOT } from '../workspace.mjs';
import { applyRelease, pendingNotes } from './apply-release.mjs';
import { makeScratchCopy } from './scratch-copy.mjs';
import { commandVersion, packagesOf } from './shipped.mjs';
import { disagreeing, manifestPaths, versionPlaces, writeVersion } from './version-places.mjs';

const SLOW_MS = 60_000;

const copies: { remove(): void }[] = [];
afterEach(() => {
  for (const copy of copies.splice(0)) copy.remove();
});

function scratch(): string {
  const copy = makeScratchCopy(ROOT);
  copies.push(copy);
  return copy.path;
}

function versions(root: string): (string | undefined)[] {
  return [...new Set(versionPlaces(root).map(({ version }) => version))];
}

describe('a release', () => {
  it('has one version everywhere, which the changesets ask for, and leaves none of them', { timeout: SLOW_MS }, () => {
    const root = scratch();
    const before = versions(ROOT);
    const [current = ''] = before;
    const [major = '', minor = ''] = current.split('.');
    const note = '---\n"@carillon/policy": minor\n---\n\nBells ring twice.\n';
    writeFileSync(join(root, '.changeset/two-rings.md'), note);
    const count = pendingNotes(root).length;

    const release = applyRelease(root, '2026-02-03');

    expect(release.version).toBe(`${major}.${Number(minor) + 1}.0`);
    expect(release.notes).toHaveLength(count);
    expect(versions(root)).toEqual([release.version]);
    expect(commandVersion(root, carillonNode())).toBe(release.version);
    const changelog = readFileSync(join(root, 'CHANGELOG.md'), 'utf8');
    expect(changelog).toContain(`## [Unreleased]\n\n## [${release.version}] - 2026-02-03\n`);
    expect(changelog).toContain('- Bells ring twice.');
    expect(readdirSync(join(root, '.changeset')).toSorted()).toEqual(['README.md', 'config.json']);
    expect(versions(ROOT)).toEqual(before);
  });

  it('without changesets keeps the version, and closes the entry of it', { timeout: SLOW_MS }, () => {
    const root = scratch();
    const notes = readdirSync(join(root, '.changeset')).filter((file) => /^(?!README).*\.md$/.test(file));
    for (const name of notes) rmSync(join(root, '.changeset', name));
    const [current = ''] = versions(root);
    expect(applyRelease(root, '2026-02-03')).toMatchObject({ from: current, version: current, notes: [] });
    expect(readFileSync(join(root, 'CHANGELOG.md'), 'utf8')).toContain(`## [${current}] - 2026-02-03`);
  });

  it('is no release while a place names another version', { timeout: SLOW_MS }, () => {
    const root = scratch();
    const [current = ''] = versions(root);
    writeVersion(root, '99.0.0');
    const places = disagreeing(versionPlaces(root), current).map(({ place }) => place);
    expect(places.some((place) => place.startsWith('deploy/k8s/'))).toBe(true);
    expect(places.some((place) => place.startsWith('docs/openapi.json'))).toBe(true);
    expect(places).toContain('package.json');
    writeFileSync(join(root, '.changeset/odd.md'), 'no head');
    expect(() => pendingNotes(root)).toThrow('odd.md');
  });
});

describe('this checkout', () => {
  it('names one version: in every manifest, image tag and document', () => {
    expect(versions(ROOT)).toEqual([JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).version]);
  });

  it('has all packages in the one group of changesets, so that they have one version', () => {
    const { fixed } = JSON.parse(readFileSync(join(ROOT, '.changeset/config.json'), 'utf8'));
    expect(fixed).toEqual([['@carillon/*']]);
    const names = packagesOf(ROOT).map(({ name }) => name);
    expect(names.filter((name) => !name.startsWith('@carillon/'))).toEqual(['carillon']);
    expect(names.length).toBe(manifestPaths(ROOT).length);
  });

  it('publishes no package by accident', () => {
    expect(packagesOf(ROOT).filter(({ isPrivate }) => !isPrivate)).toEqual([]);
  });
});

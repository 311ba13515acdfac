// npm run release:dry shows the next release and touches nothing: version, changelog entry, build, what is shipped, whether
// all places name the same version. `npm run release` makes the checkout that release, to be committed and tagged.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { applyRelease } from './release/apply-release.mjs';
import { makeScratchCopy, trackedFiles } from './release/scratch-copy.mjs';
import { commandVersion, packOf, packagesOf, tarballOf } from './release/shipped.mjs';
import { disagreeing, versionPlaces } from './release/version-places.mjs';
import { ensureSetup } from './setup.mjs';
import { ROOT, carillonNode } from './workspace.mjs';

/** What a release writes: a dry run must leave it as it is. */
const WRITTEN =
  /^(package\.json|CHANGELOG\.md|\.changeset\/|(packages|services)\/[^/]+\/package\.json|test\/package\.json|docs\/(openapi\.json|kubernetes\.md)|deploy\/k8s\/)/;
const BYTES_PER_MB = 1024 * 1024;

let failed = 0;

function report(isGood, text, details = []) {
  if (!isGood) failed += 1;
  console.log(`${isGood ? 'ok' : 'FAIL'} ${text}`);
  for (const detail of details) console.log(`     ${detail}`);
}

function checkVersions(root, version) {
  const places = versionPlaces(root);
  const wrong = disagreeing(places, version);
  const details = wrong.map((place) => `${place.place}: ${place.version ?? 'no version found'}`);
  report(wrong.length === 0, `${places.length} places name ${version}`, details);
  const said = commandVersion(root, carillonNode());
  report(said === version, `carillon --version says ${said}`);
}

function build() {
  const { status } = spawnSync(carillonNode(), [join(ROOT, 'packages/dev-tools/src/build.mjs')], { stdio: 'inherit' });
  report(status === 0, 'npm run build');
}

function showShipped(root, version) {
  const packages = packagesOf(root);
  const open = packages.filter(({ isPrivate }) => !isPrivate);
  for (const { name, folder } of open) {
    const { files, bytes } = packOf(folder);
    report(files > 0, `package ${name}@${version}: ${files} files, ${bytes} bytes`);
  }
  if (open.length === 0) report(true, `all ${packages.length} packages are private: none goes to a registry`);
  const tarball = tarballOf(root, version);
  report(tarball.bytes > 0, `tarball carillon-${version}.tar.gz: ${(tarball.bytes / BYTES_PER_MB).toFixed(1)} MB`);
  tarball.remove();
  report(existsSync(join(root, 'deploy/image/Dockerfile')), `image carillon:${version}, by deploy/image/Dockerfile`);
}

function digestOfWritten() {
  const hash = createHash('sha256');
  for (const file of trackedFiles(ROOT)
    .filter((path) => WRITTEN.test(path))
    .toSorted()) {
    hash.update(`${file}\0`).update(readFileSync(join(ROOT, file)));
  }
  return hash.digest('hex');
}

function show({ from, version, entry, notes }) {
  console.log(from === version ? `version ${version}, as it is` : `version ${from} → ${version}`);
  console.log(`${notes.length} changesets\n\n${entry}\n`);
}

function dryRun(date) {
  const before = digestOfWritten();
  const copy = makeScratchCopy(ROOT);
  try {
    const release = applyRelease(copy.path, date);
    show(release);
    checkVersions(copy.path, release.version);
    build();
    showShipped(copy.path, release.version);
  } finally {
    copy.remove();
  }
  report(digestOfWritten() === before, 'the checkout is as it was');
}

function release(date) {
  const made = applyRelease(ROOT, date);
  show(made);
  checkVersions(ROOT, made.version);
  console.log(`\nNow: npm run check, commit, git tag v${made.version}, build and push the image.`);
}

try {
  ensureSetup();
  const today = new Date().toISOString().slice(0, 10);
  if (process.argv.includes('--dry')) dryRun(today);
  else release(today);
} catch (error) {
  failed += 1;
  console.error(`carillon: ${error.message}`);
}
process.exitCode = failed === 0 ? 0 : 1;

// Every place of a checkout that names the version of the release. All must agree: one version covers the whole cluster.
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const VERSION = '(\\d+\\.\\d+\\.\\d+(?:-[\\w.]+)?)';

/** Text files with the version in them, and how it looks there. Each pattern must be found. */
const TEXTS = [
  { path: 'docs/openapi.json', pattern: `("title": "Carillon server API",\\s*"version": ")${VERSION}` },
  { path: 'deploy/k8s/overlays/production/kustomization.yaml', pattern: `(name: carillon, newTag: )${VERSION}` },
  { path: 'deploy/k8s/overlays/production/kustomization.yaml', pattern: `(example\\.com/carillon:)${VERSION}` },
  ...['gateway', 'api', 'auth-policy'].map((service) => ({
    path: `deploy/k8s/base/${service}.yaml`,
    pattern: `(image: carillon:)${VERSION}`,
  })),
  { path: 'docs/kubernetes.md', pattern: `(newName: your-registry/carillon, newTag: )${VERSION}` },
];

/** Manifests of the packages, the services and the tests, and of the checkout itself; paths from the root. */
export function manifestPaths(root) {
  const groups = ['packages', 'services'].flatMap((group) =>
    readdirSync(join(root, group)).map((name) => `${group}/${name}/package.json`),
  );
  return ['package.json', ...groups, 'test/package.json'].filter((path) => existsSync(join(root, path)));
}

/** `{ place, version }` of each; version undefined where it is not found. */
export function versionPlaces(root) {
  const manifests = manifestPaths(root).map((path) => ({
    place: path,
    version: JSON.parse(readFileSync(join(root, path), 'utf8')).version,
  }));
  const texts = TEXTS.map(({ path, pattern }) => ({
    place: path,
    version: new RegExp(pattern).exec(readFileSync(join(root, path), 'utf8'))?.[2],
  }));
  return [...manifests, ...texts];
}

/**
 * The places that do not say `version`.
 * @param {{ place: string, version: string | undefined }[]} places
 * @param {string} version
 */
export function disagreeing(places, version) {
  return places.filter((place) => place.version !== version);
}

/** Writes the version where no other tool does: the manifest of the checkout and the texts. */
export function writeVersion(root, version) {
  const edit = (path, pattern) => {
    const file = join(root, path);
    writeFileSync(file, readFileSync(file, 'utf8').replace(new RegExp(pattern), `$1${version}`));
  };
  edit('package.json', `("name": "carillon",\\s*"version": ")${VERSION}`);
  for (const { path, pattern } of TEXTS) edit(path, pattern);
}

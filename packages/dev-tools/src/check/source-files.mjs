import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { ROOT } from '../workspace.mjs';

const TOP_FOLDERS = ['packages', 'services', 'test', 'deploy'];
const SKIPPED_FOLDERS = new Set(['node_modules', 'dist', 'gen', '.artifacts', 'coverage']);
const SOURCE = /\.(ts|mts|js|mjs)$/;
const TEST = /\.(test|bench|contract)\.(ts|mjs)$|-fixtures?\.ts$|\/fixture\//;

/** All hand-written source files, path relative to the checkout with `/`, and text. */
export function sourceFiles() {
  const files = [];
  const visit = (folder) => {
    for (const entry of readdirSync(join(ROOT, folder), { withFileTypes: true })) {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory() && !SKIPPED_FOLDERS.has(entry.name)) visit(path);
      else if (entry.isFile() && SOURCE.test(entry.name))
        files.push({ path, text: readFileSync(join(ROOT, path), 'utf8') });
    }
  };
  for (const folder of TOP_FOLDERS) visit(folder);
  return files;
}

/** Whether a path is that of a test or of what tests are made with: it may know more than the code beside it. */
export function isTest(path) {
  return TEST.test(path) || path.startsWith('test/');
}

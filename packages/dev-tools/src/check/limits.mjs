// The limits of docs and style that no linter knows: sizes of files and folders, loose ends, tests that are switched off.
import { isTest } from './source-files.mjs';

const MAX_FILES_IN_FOLDER = 15;
const MAX_CODE_LINES = 400;

const FORBIDDEN = [
  { pattern: /\b(?:TODO|FIXME|XXX)\b(?! ?\(#\d+\))/, says: 'a loose end needs an issue: TODO(#n)' },
  { pattern: /\bcatch\s*(?:\([^)]*\))?\s*\{\s*\}/, says: 'an empty catch hides failures' },
  {
    pattern: /\.catch\(\s*\(\w*\)\s*=>\s*(?:\{\s*\}|undefined|null)\s*\)/,
    says: 'an empty catch hides failures: say in a comment above it why nothing is lost',
    isExcused: isExplainedOrTest,
  },
  {
    pattern: /\b(?:it|test|describe|suite)(?:\.\w+)*\.(?:only|skip|skipIf|runIf|todo)\b/,
    says: 'a test is switched off',
  },
  { pattern: /\b(?:xit|xdescribe|fit|fdescribe)\(/, says: 'a test is switched off' },
];

/** One line for each limit that a file or folder breaks. */
export function brokenLimits(files) {
  return [...crowdedFolders(files), ...files.flatMap((file) => [...tooLong(file), ...forbidden(file)])];
}

function crowdedFolders(files) {
  const counts = new Map();
  for (const { path } of files) {
    if (isTest(path) && !path.startsWith('test/')) continue;
    const folder = path.slice(0, path.lastIndexOf('/'));
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  const crowded = [...counts].filter(([folder, count]) => count > MAX_FILES_IN_FOLDER && !folder.startsWith('test/'));
  return crowded.map(([folder, count]) => `${folder}: ${count} files, at most ${MAX_FILES_IN_FOLDER}`);
}

function tooLong({ path, text }) {
  const lines = codeLines(text);
  return lines > MAX_CODE_LINES ? [`${path}: ${lines} lines of code, at most ${MAX_CODE_LINES}`] : [];
}

/** Lines that are neither blank nor comment. */
export function codeLines(text) {
  let isInComment = false;
  let count = 0;
  for (const line of text.split('\n').map((raw) => raw.trim())) {
    if (isInComment) isInComment = !line.includes('*/');
    else if (line.startsWith('/*')) isInComment = !line.includes('*/');
    else if (line !== '' && !line.startsWith('//')) count += 1;
  }
  return count;
}

function forbidden({ path, text }) {
  // This file and its test spell what they look for.
  if (/check\/limits(\.test)?\.\w+$/.test(path)) return [];
  return FORBIDDEN.flatMap(({ pattern, says, isExcused = () => false }) =>
    [...text.matchAll(new RegExp(pattern, 'g'))]
      .filter(({ index }) => !isExcused({ path, text, index }))
      .map(({ index }) => `${path}:${lineOf(text, index)}: ${says}`),
  );
}

/** A test may expect a rejection; elsewhere the line above says why the failure does not matter. */
function isExplainedOrTest({ path, text, index }) {
  if (isTest(path) || path.startsWith('test/')) return true;
  const above = text.slice(0, index).split('\n').at(-2) ?? '';
  return above.trim().startsWith('//');
}

function lineOf(text, index) {
  return text.slice(0, index).split('\n').length;
}

import { extname } from 'node:path';
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';

/** Finds options in a file, for messages: `config.json:12`, or the path alone if it cannot be told. */
export function createLocator(path: string, text: string): (key: string) => string {
  const isToml = extname(path).toLowerCase() === '.toml';
  let find: ((parts: readonly string[]) => number | undefined) | undefined;
  return (key) => {
    // Most configurations give no reason to ask.
    find ??= isToml ? (parts) => lineInToml(text, parts) : treeFinder(text);
    const line = find(key.split(/\.|(?=\[\d+\])/).filter(Boolean));
    return line === undefined ? path : `${path}:${line}`;
  };
}

/** JSON is YAML, so that one parser with positions serves both. */
function treeFinder(text: string): (parts: readonly string[]) => number | undefined {
  const lines = new LineCounter();
  const { contents } = parseDocument(text, { lineCounter: lines, logLevel: 'silent' });
  return (parts) => {
    // Options under older names stand nearer to the root than their newer path says.
    for (let skip = 0; skip < parts.length; skip++) {
      const offset = offsetOf(contents, parts.slice(skip));
      if (offset !== undefined) return lines.linePos(offset).line;
    }
    return undefined;
  };
}

function offsetOf(root: Node | null, parts: readonly string[]): number | undefined {
  let node: unknown = root;
  let offset: number | undefined;
  for (const part of parts) {
    const index = /^\[(\d+)\]$/.exec(part)?.[1];
    if (index !== undefined) node = isSeq(node) ? node.items[Number(index)] : undefined;
    else {
      const pairs = isMap(node) ? node.items : [];
      const pair = pairs.find(({ key }) => isScalar(key) && String(key.value).toLowerCase() === part);
      offset = isScalar(pair?.key) ? pair.key.range?.[0] : undefined;
      node = pair?.value;
    }
    if (node === undefined) return undefined;
  }
  return offset;
}

/** The line of the only assignment to the last part. */
function lineInToml(text: string, parts: readonly string[]): number | undefined {
  const last = parts.at(-1)?.replaceAll(/\W/g, '.') ?? '';
  const pattern = new RegExp(`(?:^|[\\s.{,"'])${last}["']?\\s*=`, 'i');
  const hits = text.split('\n').flatMap((line, index) => (pattern.test(line) ? [index + 1] : []));
  return hits.length === 1 ? hits[0] : undefined;
}

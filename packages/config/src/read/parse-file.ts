import { extname } from 'node:path';
import { parse as parseToml } from 'smol-toml';
import { parse as parseYaml } from 'yaml';
import { ConfigError } from './config-error.ts';
import { parseReason } from './parse-reason.ts';
import { getRaw, isRawObject, lowerKeys, type RawObject, setRaw } from './raw-value.ts';

const PARSERS: Readonly<Record<string, (text: string) => unknown>> = {
  '.json': (text) => JSON.parse(text) as unknown,
  '.yaml': (text) => parseYaml(text, { merge: true, logLevel: 'error' }) as unknown,
  '.yml': (text) => parseYaml(text, { merge: true, logLevel: 'error' }) as unknown,
  '.toml': (text) => parseToml(text),
};

/** The tree of a configuration file, keys in lower case; the format is chosen by extension. Throws `ConfigError`. */
export function parseConfigFile(path: string, text: string): RawObject {
  const parser = PARSERS[extname(path).toLowerCase()];
  if (parser === undefined) throw new ConfigError('read', `${path}: the extension must be json, yaml, yml or toml`);
  let tree: unknown;
  try {
    tree = parser(text.replace(/^\uFEFF/, '')) ?? {};
  } catch (error) {
    // The error of the parser is no cause to hand on: it quotes the file.
    throw new ConfigError('read', `${path}: ${parseReason(error)}`);
  }
  const lower = lowerKeys(tree, false);
  if (!isRawObject(lower)) throw new ConfigError('read', `${path}: the file must hold a group of options`);
  // The schema reference of editors.
  delete lower['$schema'];
  return expandDottedKeys(lower);
}

/** compat: `"client.token.hmac_secret_key": "…"` at the top level is the nested key. */
function expandDottedKeys(tree: RawObject): RawObject {
  const result: RawObject = { ...tree };
  for (const [key, value] of Object.entries(tree)) {
    if (!key.includes('.')) continue;
    delete result[key];
    setMissing(result, key.split('.'), value);
  }
  return result;
}

function setMissing(root: RawObject, path: readonly string[], value: unknown): void {
  if (getRaw(root, path) === undefined) setRaw(root, path, value);
}

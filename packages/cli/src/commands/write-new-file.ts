import { writeFileSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import type { ConfigFormat } from '@carillon/config';

const FORMATS: Readonly<Record<string, ConfigFormat>> = {
  '.json': 'json',
  '.toml': 'toml',
  '.yaml': 'yaml',
  '.yml': 'yaml',
};

/** The format that the extension of a path asks for. Throws for others. */
export function formatOf(path: string): ConfigFormat {
  const format = FORMATS[extname(path).toLowerCase()];
  if (format === undefined)
    throw new Error('output config file must have one of supported extensions: json, toml, yaml, yml');
  return format;
}

/** Writes a file that only its owner may read. Throws if there is one already. */
export function writeNewFile(path: string, text: string, cwd: string): void {
  try {
    writeFileSync(resolve(cwd, path), text, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') {
      throw new Error(`output config file ${path} already exists`, { cause: error });
    }
    throw error;
  }
}

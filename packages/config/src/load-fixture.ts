import { type LoadConfigOptions, type LoadedConfig, loadConfig } from './load-config.ts';

/** Loads a file that exists in memory only, beside the given other files. */
export function loadText(
  text: string,
  options: Partial<LoadConfigOptions> & { readonly files?: Readonly<Record<string, string>> } = {},
): LoadedConfig {
  const path = options.path ?? 'config.json';
  const files: Readonly<Record<string, string>> = { [path]: text, ...options.files };
  const readFile = (name: string): string => {
    const content = files[name];
    if (content === undefined) throw Object.assign(new Error(`no file ${name}`), { code: 'ENOENT' });
    return content;
  };
  return loadConfig({ env: {}, ...options, path, readFile });
}

/** The same for a value written as JSON. */
export function loadValue(value: unknown, options: Parameters<typeof loadText>[1] = {}): LoadedConfig {
  return loadText(JSON.stringify(value, null, 2), options);
}

import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { type Config, optionTable } from './config.ts';
import { finishConfig } from './finish-config.ts';
import { isFlatName, translateFlat } from './legacy/translate-flat.ts';
import { type BuildContext, buildGroup } from './read/build-config.ts';
import { ConfigError } from './read/config-error.ts';
import { addNamedItems, applyItemVariables, type Env, readEnv, unknownVariables } from './read/env-layer.ts';
import { createLocator } from './read/locate-key.ts';
import { parseConfigFile } from './read/parse-file.ts';
import { mergeRaw, OuterText, type RawObject, setRaw } from './read/raw-value.ts';

/** Where the configuration comes from. Strength: flags, environment, file, defaults. */
export interface LoadConfigOptions {
  /** Path of the file; the extension chooses the format. Undefined reads none. */
  readonly path?: string | undefined;
  readonly env: Env;
  /** Reads a text file; throws an error with code `ENOENT` if there is none. Default: the file system. */
  readonly readFile?: ((path: string) => string) | undefined;
  /** Path of a `.env` file whose variables are added to `env`; undefined reads none. */
  readonly envFile?: string | undefined;
  /** Unknown keys in the file are an error. */
  readonly strict?: boolean | undefined;
  /** Values of command-line flags by option path, such as `http_server.port`. */
  readonly flags?: Readonly<Record<string, string>> | undefined;
}

/** A usable configuration. `warnings` are for stderr, one line each; those about unknown keys are among them. */
export interface LoadedConfig {
  readonly config: Config;
  readonly warnings: readonly string[];
  /** Dotted paths of file keys that no option has. */
  readonly unknownKeys: readonly string[];
  readonly fileFound: boolean;
}

/** Loads, checks and types the configuration (channels-and-config.md 3). Throws `ConfigError`. */
export function loadConfig(options: LoadConfigOptions): LoadedConfig {
  const readFile = options.readFile ?? ((path: string) => readFileSync(path, 'utf8'));
  const env = withEnvFile(options, readFile);
  const warnings: string[] = [];
  const path = options.path ?? '';
  const text = path === '' ? undefined : readIfThere(path, readFile);
  if (path !== '' && text === undefined) warnings.push(`config file ${path} not found, using defaults and environment`);

  const locate = text === undefined ? () => path : createLocator(path, text);
  const warn = (message: string): void => void warnings.push(message);
  const fileTree = text === undefined ? {} : translateFlat(parseConfigFile(path, text), { locate, warn });
  const layer = readEnv(optionTable, env, isFlatName);
  const locateVariable = (name: string): string => variableOf(layer.flat[name]);
  const envTree = translateFlat(withFlatNames(layer.tree, layer.flat), { locate: locateVariable, warn });
  const tree = mergeRaw(mergeRaw(fileTree, envTree), flagTree(options.flags));
  addNamedItems(tree, layer.added);
  applyItemVariables(optionTable, tree, layer.rest);

  const context: BuildContext = {
    env,
    warnings,
    unknownKeys: [],
    given: new Set(),
    locate,
  };
  const built = buildGroup(optionTable, tree, '', context);
  for (const key of context.unknownKeys) warn(`${locate(key)}: unknown key ${key}`);
  for (const name of unknownVariables(layer.rest)) warn(`unknown environment variable ${name}`);
  if (options.strict === true && context.unknownKeys.length > 0) {
    throw new ConfigError('validate', `unknown keys in config: ${context.unknownKeys.join(', ')}`);
  }
  const config = finishConfig(built, { ...context, readFile, warn });
  return { config, warnings, unknownKeys: context.unknownKeys, fileFound: text !== undefined };
}

/** The configuration of an empty file. */
export function defaultConfig(): Config {
  return loadConfig({ env: {} }).config;
}

function withEnvFile(options: LoadConfigOptions, readFile: (path: string) => string): Env {
  const text = options.envFile === undefined ? undefined : readIfThere(options.envFile, readFile);
  return text === undefined ? options.env : { ...parseEnv(text), ...options.env };
}

/** Flat names beside the newer ones, except where a group of that name is given: its own keys win over the bare value. */
function withFlatNames(tree: RawObject, flat: RawObject): RawObject {
  const result: RawObject = { ...tree };
  for (const [name, value] of Object.entries(flat)) result[name] ??= value;
  return result;
}

function variableOf(value: unknown): string {
  return value instanceof OuterText ? value.name : 'environment';
}

function flagTree(flags: Readonly<Record<string, string>> = {}): RawObject {
  const tree: RawObject = {};
  for (const [path, text] of Object.entries(flags)) setRaw(tree, path.split('.'), new OuterText(`--${path}`, text));
  return tree;
}

function readIfThere(path: string, readFile: (path: string) => string): string | undefined {
  try {
    return readFile(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new ConfigError('read', `cannot read ${path}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

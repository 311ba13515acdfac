import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { optionTable } from '../config.ts';
import { defaultConfig, loadConfig } from '../load-config.ts';
import { loadText } from '../load-fixture.ts';
import { envOptions } from '../read/env-names.ts';
import { configFileText } from './default-file.ts';
import { defaultEnv } from './default-env.ts';
import { configJsonSchema } from './json-schema.ts';
import { configReferenceMarkdown, configurationPage } from './markdown.ts';

const committed = (name: string): string =>
  readFileSync(new URL(`../../../../docs/${name}`, import.meta.url), 'utf8').replaceAll('\r\n', '\n');

test('docs/configuration.md is what the option table says (run packages/config/src/write-reference.ts)', () => {
  expect(committed('configuration.md')).toBe(configurationPage());
});

test('docs/configuration.schema.json is what the option table says', () => {
  expect(JSON.parse(committed('configuration.schema.json'))).toEqual(configJsonSchema());
});

test.each(['json', 'yaml', 'toml'] as const)(
  'the %s file of all defaults loads as the defaults, without a warning',
  (format) => {
    const loaded = loadText(configFileText(defaultConfig(), format), { path: `config.${format}` });
    expect(loaded.warnings).toEqual([]);
    expect(loaded.config).toEqual(defaultConfig());
  },
);

test('the environment of all defaults loads as the defaults, and is sorted', () => {
  const lines = defaultEnv(defaultConfig()).trimEnd().split('\n');
  expect(lines).toEqual([...lines].sort());
  const env = Object.fromEntries(
    lines.map((line) => {
      const [name = '', ...rest] = line.split('=');
      const text = rest.join('=');
      return [name, text.startsWith('"') ? String(JSON.parse(text)) : text];
    }),
  );
  const { config, warnings } = loadConfig({ env });
  expect(warnings).toEqual([]);
  // The one option where zero and absent differ is not at zero by default.
  expect(config).toEqual(defaultConfig());
});

test('environment names are unique', () => {
  const names = envOptions(optionTable).map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});

test('one section of the reference may be printed, with deeper headings', () => {
  const text = configReferenceMarkdown({ section: 'gateway', baseLevel: 1 });
  expect(text?.startsWith('### `gateway`\n')).toBe(true);
  expect(text).not.toContain('`client');
  expect(configReferenceMarkdown({ section: 'nothing' })).toBeUndefined();
});

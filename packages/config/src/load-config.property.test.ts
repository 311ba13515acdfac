import fc from 'fast-check';
import { expect, test } from 'vitest';
import { optionTable } from './config.ts';
import { OLDER_NAMES } from './legacy/older-names-fixture.ts';
import { loadConfig } from './load-config.ts';
import { loadText, loadValue } from './load-fixture.ts';
import { ConfigError } from './read/config-error.ts';
import { envOptions } from './read/env-names.ts';
import { type RawObject, setRaw } from './read/raw-value.ts';

const options = envOptions(optionTable);
const paths = fc.constantFrom(
  ...options.map(({ path }) => path),
  ...OLDER_NAMES.map(([old]) => Object.keys(old).slice(0, 1)),
  ...['granular_proxy_mode', 'connect_proxy_name', 'proxy_grpc_tls'].map((name) => [name]),
);
const values = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom('', '0', '1s', -1, 0, 1, true, false, null, 'auto', [{ name: 'ab' }], [{}], { enabled: true }),
);

/** Loads; anything but a configuration or a `ConfigError` is a bug. */
function loads(load: () => unknown): boolean {
  try {
    load();
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return false;
  }
}

test('any values of any options load or are refused by a ConfigError', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(paths, values), { maxLength: 4 }), (entries) => {
      const tree: RawObject = {};
      for (const [path, value] of entries) setRaw(tree, path, value);
      loads(() => loadValue(tree));
    }),
  );
});

test('any text of any variable loads or is refused by a ConfigError', () => {
  const text = fc.oneof(fc.string(), fc.json({ maxDepth: 2 }), fc.constantFrom('true', '0', '1s', 'a b'));
  fc.assert(
    fc.property(fc.constantFrom(...options), text, ({ name }, value) => {
      loads(() => loadConfig({ env: { [`CARILLON_${name}`]: value } }));
    }),
  );
});

test('any text as a file loads or is refused by a ConfigError', () => {
  fc.assert(
    fc.property(fc.string(), fc.constantFrom('c.json', 'c.yaml', 'c.toml'), (text, path) => {
      loads(() => loadText(text, { path }));
    }),
  );
});

/** Writes docs/configuration.md and docs/configuration.schema.json; run it after a change of the option table. */

import { writeFileSync } from 'node:fs';
import { configJsonSchema } from './reference/json-schema.ts';
import { configurationPage } from './reference/markdown.ts';

const docs = new URL('../../../docs/', import.meta.url);
writeFileSync(new URL('configuration.md', docs), configurationPage());
writeFileSync(new URL('configuration.schema.json', docs), `${JSON.stringify(configJsonSchema(), null, 2)}\n`);

// Writes docs/openapi.json again; run by `npm run gen`.
import { writeFileSync } from 'node:fs';
import { openApiDocument } from '@carillon/protocol/api';
import { ownVersion } from '../../own-version.ts';

const target = new URL('../../../../../docs/openapi.json', import.meta.url);
writeFileSync(target, `${JSON.stringify(openApiDocument({ version: ownVersion() }), null, 2)}\n`);

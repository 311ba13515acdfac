import { describe, expect, it } from 'vitest';

import { brokenImports } from './imports.mjs';

// Not spelt out below: the checker reads this file too.
const DYNAMIC = 'import';
const problems = (path: string, text: string): string[] => brokenImports([{ path, text }]);

describe('brokenImports', () => {
  it.each([
    ['services/gateway/src/command/publish.ts', "import { x } from '@carillon/protocol/codes';"],
    ['services/gateway/src/compose.ts', "import { x } from '@carillon/cluster/nats';"],
    ['services/gateway/src/compose.ts', "import { x } from './command/publish.ts';"],
    ['services/gateway/src/main.ts', "import { compose } from './compose.ts';"],
    ['services/gateway/src/session/session.ts', "import type { Socket } from '../edge/socket.ts';"],
    ['services/gateway/src/session/session.ts', "import { type Socket } from '../edge/socket.ts';"],
    ['services/gateway/src/fanout/a.test.ts', "import { MemoryBroker } from '@carillon/cluster/memory';"],
    ['packages/cluster/src/nats/a.nats.test.ts', "import { startNats } from '@carillon/dev-tools/test-nats';"],
    ['packages/cli/src/serve.ts', "import { compose } from '@carillon/gateway/compose';"],
    ['packages/dev-tools/src/a.mjs', "import { join } from 'node:path';"],
  ])('lets %s have %s', (path, text) => {
    expect(problems(path, text)).toEqual([]);
  });

  it.each([
    [
      'services/gateway/src/a/b.ts',
      "import { x } from '@carillon/api/compose';",
      'services/gateway does not import api',
    ],
    ['packages/protocol/src/client/a.ts', "import { x } from '@carillon/service-kit';", 'does not import service-kit'],
    ['packages/cluster/src/a.ts', "import { x } from '@carillon/dev-tools/test-nats';", 'does not import dev-tools'],
    ['packages/cli/src/a.ts', "import { x } from '@carillon/gateway/session';", 'doors only'],
    [
      'services/gateway/src/fanout/a.ts',
      "import { x } from '@carillon/cluster/memory';",
      'only compose imports an adapter',
    ],
    ['services/gateway/src/edge/a.ts', "import { x } from '../command/publish.ts';", 'edge imports nothing of command'],
    ['services/gateway/src/session/a.ts', "import { x } from '../edge/socket.ts';", 'nothing but types of edge'],
    ['services/gateway/src/session/a.ts', "import {\n  x,\n} from '../compose.ts';", 'only main imports compose'],
    ['services/gateway/src/compose.ts', "import '../src/main.ts';", 'nobody imports main'],
    ['services/gateway/src/unknown/a.ts', "import { x } from '../session/a.ts';", 'has no row'],
    ['services/gateway/src/config.ts', "import { x } from './session/a.ts';", 'only compose and main'],
    ['services/api/src/a.ts', "export * from '../../gateway/src/config.ts';", 'leaves its package'],
    ['packages/policy/src/decide/a.ts', "import { x } from '../index.ts';", 'nobody imports an index'],
    ['packages/policy/src/a.ts', `const x = await ${DYNAMIC}('@carillon/config');`, 'does not import config'],
    ['packages/policy/src/a.ts', "import { x } from '@carillon/policy';", 'itself by name'],
    ['packages/dev-tools/src/a.mjs', "import pino from 'pino';", 'node: and themselves'],
  ])('refuses %s %s', (path, text, says) => {
    expect(problems(path, text)).toEqual([expect.stringContaining(says)]);
  });

  it('names file and line', () => {
    const text = "import { a } from 'node:fs';\n\nimport { x } from '@carillon/api/compose';\n";
    expect(problems('services/gateway/src/a.ts', text)[0]).toMatch(/^services\/gateway\/src\/a\.ts:3: /);
  });
});

import { describe, expect, it } from 'vitest';

import { readPage } from './pages.ts';

const page = readPage('docs/security.md');

describe('docs/security.md', () => {
  it('lists every kind of subject that a cluster uses', () => {
    const source = readPage('packages/cluster/src/nats/nats-subjects.ts');
    const kinds = new Set([...source.matchAll(/`\$\{p\}\.(\w+)/g)].map(([, kind]) => kind));
    expect(kinds.size).toBeGreaterThan(8);
    expect([...kinds].filter((kind) => !page.includes(`carillon.${kind}.`))).toEqual([]);
  });

  it('grants every request to JetStream that the sources make', () => {
    const granted = [...page.matchAll(/"\$JS\.API\.([A-Z.]+?)(?:\.[*>])?"/g)].map(([, operation]) => operation);
    const used = ['nats-streams', 'nats-connection', 'request/direct-get', 'presence/presence-store', 'bans/ban-stream']
      .map((file) => readPage(`packages/cluster/src/nats/${file}.ts`))
      .flatMap((text) => [...text.matchAll(/[`'](?:\$JS\.API\.)?((?:STREAM|DIRECT|CONSUMER)\.[A-Z.]+?)\.?[`'$]/g)])
      .map(([, operation]) => operation);
    expect(used.length).toBeGreaterThan(5);
    expect(used.filter((operation) => !granted.includes(operation))).toEqual([]);
  });
});

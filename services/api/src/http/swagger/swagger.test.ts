import { readFileSync } from 'node:fs';
import { apiMethods, batchMethod, openApiDocument } from '@carillon/protocol/api';
import { describe, expect, it } from 'vitest';
import { ownVersion } from '../../own-version.ts';
import { startApi } from '../../fixture/start-api.ts';

const COMMITTED = new URL('../../../../../docs/openapi.json', import.meta.url);
const names = [batchMethod, ...Object.values(apiMethods)].map(({ name }) => name);

interface Document {
  readonly servers: readonly { readonly url: string }[];
  readonly paths: Readonly<Record<string, unknown>>;
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> };
}

describe('the OpenAPI document', () => {
  it('is the committed one: run `npm run gen` when this fails', () => {
    expect(JSON.parse(readFileSync(COMMITTED, 'utf8'))).toEqual(
      JSON.parse(JSON.stringify(openApiDocument({ version: ownVersion() }))),
    );
  });

  it('refers to nothing that it does not have', () => {
    const text = JSON.stringify(openApiDocument({ version: '1.2.3' }));
    const { schemas } = (JSON.parse(text) as Document).components;
    for (const [, name] of text.matchAll(/#\/components\/schemas\/(\w+)/g))
      expect(schemas).toHaveProperty(String(name));
  });

  it('has a path for every method, and the server answers at each of them', async () => {
    const api = await startApi({ swagger: { enabled: true }, http_api: { key: 'k', handler_prefix: '/v1/' } });
    const document = (await (await fetch(`${api.url}/swagger/openapi.json`)).json()) as Document;
    expect(document.servers).toEqual([{ url: '/v1' }]);
    expect(Object.keys(document.paths).sort()).toEqual(names.map((name) => `/${name}`).sort());
    for (const path of Object.keys(document.paths)) {
      const headers = { 'X-API-Key': 'k' };
      const answer = await fetch(`${api.url}/v1${path}`, { method: 'POST', headers, body: '{}' });
      expect([path, answer.status]).toEqual([path, 200]);
    }
    await api.close();
  });

  it('has a page beside it, and neither is there unless enabled', async () => {
    const api = await startApi({ swagger: { enabled: true, handler_prefix: '/try' } });
    for (const path of ['/try', '/try/']) {
      const page = await fetch(`${api.url}${path}`);
      expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
      expect(await page.text()).toContain('"/try/openapi.json"');
    }
    await api.close();
    const plain = await startApi();
    for (const path of ['/swagger', '/swagger/', '/swagger/openapi.json']) {
      expect((await fetch(`${plain.url}${path}`)).status).toBe(404);
    }
    await plain.close();
  });
});

import { openApiDocument } from '@carillon/protocol/api';
import type { TemplatedApp } from 'uWebSockets.js';
import { ownVersion } from '../../own-version.ts';
import { jsonAnswer, type Answer } from '../answer.ts';
import { writeAnswer } from '../exchange.ts';

export interface SwaggerSettings {
  readonly isEnabled: boolean;
  /** Without a trailing slash. */
  readonly prefix: string;
}

const encoder = new TextEncoder();

/** The OpenAPI document of the API at `{prefix}/openapi.json`, and a page that tries its methods at `{prefix}`. */
export function mountSwagger(
  app: TemplatedApp,
  { prefix: apiPrefix, swagger: { isEnabled, prefix } }: { readonly prefix: string; readonly swagger: SwaggerSettings },
): void {
  if (!isEnabled) return;
  const document = jsonAnswer(
    encoder.encode(JSON.stringify(openApiDocument({ prefix: apiPrefix, version: ownVersion() }))),
  );
  const page: Answer = { status: 200, contentType: 'text/html; charset=utf-8', body: pageOf(`${prefix}/openapi.json`) };
  app.get(`${prefix}/openapi.json`, (response) => writeAnswer(response, document));
  app.get(`${prefix}/`, (response) => writeAnswer(response, page));
  if (prefix !== '') app.get(prefix, (response) => writeAnswer(response, page));
}

/** Small on purpose: it needs nothing from elsewhere, so it works where nothing else can be reached. */
function pageOf(documentUrl: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Server API</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
summary { cursor: pointer; font-weight: 600 }
textarea, input { width: 100%; box-sizing: border-box; font: 13px ui-monospace, monospace }
pre { background: #f4f4f4; padding: .5rem; overflow: auto }
</style>
<h1>Server API</h1>
<p><a href="${documentUrl}">OpenAPI document</a></p>
<label>API key <input id="key" type="password" autocomplete="off"></label>
<div id="methods"></div>
<script>
const element = (name, text) => Object.assign(document.createElement(name), { textContent: text ?? '' });
const fieldsOf = (api, schema) => api.components.schemas[schema.$ref.split('/').pop()].properties ?? {};
const typeOf = (schema) => schema.$ref ? schema.$ref.split('/').pop() : schema.type === 'array' ? typeOf(schema.items) + '[]' : schema.type ?? 'any';
fetch(${JSON.stringify(documentUrl)}).then((answer) => answer.json()).then((api) => {
  for (const [path, { post }] of Object.entries(api.paths)) {
    const details = element('details');
    const fields = fieldsOf(api, post.requestBody.content['application/json'].schema);
    const list = element('pre', Object.entries(fields).map(([name, schema]) => name + ': ' + typeOf(schema)).join('\\n'));
    const body = Object.assign(element('textarea'), { value: '{}', rows: 3 });
    const button = element('button', 'Send');
    const result = element('pre');
    const url = api.servers[0].url.replace(/\\/$/, '') + path;
    button.onclick = async () => {
      const headers = { 'X-API-Key': document.getElementById('key').value };
      const answer = await fetch(url, { method: 'POST', headers, body: body.value });
      result.textContent = answer.status + ' ' + await answer.text();
    };
    details.append(element('summary', 'POST ' + url), list, body, button, result);
    document.getElementById('methods').append(details);
  }
});
</script>
</html>
`;
}

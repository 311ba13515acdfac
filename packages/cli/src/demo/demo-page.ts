import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** A file of the demo, ready to be sent. */
export interface DemoAsset {
  readonly path: string;
  readonly contentType: string;
  readonly body: Uint8Array;
}

/** Where the page gets its tokens if none is written into it. */
export const DEMO_TOKEN_PATH = '/demo/token';
/** Channel of the page. */
export const DEMO_CHANNEL = 'chat:demo';

/**
 * The demo page and the official browser client that it runs. Read once, at start. Without a token the page asks
 * `DEMO_TOKEN_PATH` for one, on each connect that needs it.
 */
export function demoAssets(token: string | undefined, channel: string): readonly DemoAsset[] {
  const template = readFileSync(new URL('../../src/demo/demo.html', import.meta.url), 'utf8');
  const page = template
    .replace('__TOKEN__', JSON.stringify(token ?? null))
    .replace('__CHANNEL__', JSON.stringify(channel));
  const client = join(dirname(createRequire(import.meta.url).resolve('centrifuge')), '../dist/centrifuge.js');
  return [
    { path: '/', contentType: 'text/html; charset=utf-8', body: Buffer.from(page) },
    { path: '/demo/centrifuge.js', contentType: 'text/javascript; charset=utf-8', body: readFileSync(client) },
  ];
}

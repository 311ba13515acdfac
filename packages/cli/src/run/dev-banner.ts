import type { Config } from '@carillon/config';

export interface DevBannerOptions {
  readonly config: Config;
  readonly token: string;
  readonly channel: string;
  /** Shown as what is listening, such as http://localhost:8000. */
  readonly url: string;
}

/** What a newcomer needs to try the server, printed by `serve --dev`: addresses, a token, three lines to paste. */
export function devBanner({ config, token, channel, url }: DevBannerOptions): string {
  const websocket = `${url.replace(/^http/, 'ws')}${config.websocket.handlerPrefix}`;
  const body = JSON.stringify({ channel, data: { text: 'Hello from curl' } });
  return [
    '',
    'Carillon is running (one process, in memory, development configuration)',
    '',
    `  Demo page    ${url}/`,
    `  WebSocket    ${websocket}`,
    `  Server API   ${url}${config.httpApi.handlerPrefix}`,
    `  Token        ${token}`,
    '',
    'Try it:',
    '',
    `  1. open ${url}/`,
    `  2. curl -H 'X-API-Key: ${config.httpApi.key}' -d '${body}' ${url}${config.httpApi.handlerPrefix}/publish`,
    `  3. curl -H 'X-API-Key: ${config.httpApi.key}' -d '{"channel":"${channel}"}' ${url}${config.httpApi.handlerPrefix}/presence`,
    '',
    '',
  ].join('\n');
}

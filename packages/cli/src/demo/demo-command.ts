import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { TokenConfig } from '@carillon/config';
import type { CommandIo, ConfigOption } from '../command-io.ts';
import { signToken } from '../commands/sign-token.ts';
import { loadCommandConfig, reasonOf } from '../load-command-config.ts';
import { DEMO_CHANNEL, DEMO_TOKEN_PATH, demoAssets } from './demo-page.ts';

export interface DemoOptions extends ConfigOption {
  /** 0 takes any free port. */
  readonly port: number;
  /** Whoever reaches it gets tokens. */
  readonly address: string;
}

/** Short, so that a page that stays open shows how a client refreshes its token. */
const TOKEN_TTL_S = 600;
const REQUEST_TIMEOUT_MS = 10_000;

/**
 * `demo`: the demo page and the token endpoint that an application would have, until stopped. The page connects to the address
 * that it came from, so a front door has to pass on these paths to the demo and everything else to gateways.
 */
export async function demoCommand(options: DemoOptions, io: CommandIo): Promise<number> {
  try {
    const { config } = loadCommandConfig(options, io);
    const keys = config.client.token;
    // A missing key is found now, not by the first visitor.
    await visitorToken(keys, io);
    await serveDemo(options, keys, io);
    return 0;
  } catch (error) {
    io.stdout.write(`error: ${reasonOf(error)}\n`);
    return 1;
  }
}

async function serveDemo({ port, address }: DemoOptions, keys: TokenConfig, io: CommandIo): Promise<void> {
  const assets = new Map(demoAssets(undefined, DEMO_CHANNEL).map((asset) => [asset.path, asset]));
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
    const path = (request.url ?? '/').replace(/\?.*/s, '');
    const asset = assets.get(path);
    if (request.method !== 'GET' && request.method !== 'HEAD') answer(response, 405, { error: 'only GET' });
    else if (asset !== undefined) response.writeHead(200, { 'content-type': asset.contentType }).end(asset.body);
    else if (path === '/health') answer(response, 200, {});
    else if (path === DEMO_TOKEN_PATH) void answerToken(response, keys, io);
    else answer(response, 404, { error: 'not found' });
  });
  server.listen(port, address);
  await once(server, 'listening');
  const bound = server.address();
  const boundPort = typeof bound === 'object' && bound !== null ? bound.port : port;
  io.stdout.write(`demo page on http://${address}:${boundPort}/\n`);
  if (!io.stop.aborted) await once(io.stop, 'abort');
  server.close();
  server.closeAllConnections();
}

async function answerToken(response: ServerResponse, keys: TokenConfig, io: CommandIo): Promise<void> {
  try {
    answer(response, 200, await visitorToken(keys, io));
  } catch (error) {
    answer(response, 500, { error: reasonOf(error) });
  }
}

/** A token for a user of its own: an application would take the user of its session. */
async function visitorToken(keys: TokenConfig, io: CommandIo): Promise<{ user: string; token: string }> {
  const user = `visitor-${randomBytes(3).toString('hex')}`;
  return { user, token: await signToken({ user, ttlSeconds: TOKEN_TTL_S, nowMs: io.now() }, keys) };
}

function answer(response: ServerResponse, status: number, body: object): void {
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' };
  response.writeHead(status, headers).end(JSON.stringify(body));
}

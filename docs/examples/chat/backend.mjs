// What a backend does beside Carillon, in one file without dependencies: it signs tokens, keeps messages, and publishes them.
// Run it beside `npm start`: node docs/examples/chat/backend.mjs
import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const API = process.env.CARILLON_API ?? 'http://localhost:8000/api';
const API_KEY = process.env.CARILLON_API_KEY ?? 'carillon-dev-key';
const TOKEN_SECRET = process.env.CARILLON_TOKEN_SECRET ?? 'carillon-dev-secret-never-use-it-in-production';
const PORT = Number(process.env.PORT ?? '3001');
const CHANNEL = 'chat:lobby';
const TOKEN_LIFE_S = 600;
const API_TIMEOUT_MS = 6_000;
const ATTEMPTS = 5;
const MAX_BODY_BYTES = 10_000;

/** The database of this example: messages by their ids, in the order in which they came. */
const messages = new Map();

/** A connection token. Any JWT library does the same. */
function connectionToken(user) {
  const now = Math.floor(Date.now() / 1000);
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ sub: user, iat: now, exp: now + TOKEN_LIFE_S })}`;
  return `${signed}.${createHmac('sha256', TOKEN_SECRET).update(signed).digest('base64url')}`;
}

/**
 * Calls the server API. Repeats when there is no answer and on error 100, the one that may go away; that is safe for reads, and
 * for publishes with an `idempotency_key`.
 */
async function call(method, request) {
  for (let attempt = 1; ; attempt += 1) {
    const { result, error } = await post(method, request).catch((cause) => ({
      error: { code: 100, message: String(cause) },
    }));
    if (error === undefined) return result;
    if (error.code !== 100 || attempt >= ATTEMPTS) throw new Error(`${method}: ${error.code} ${error.message}`);
    await sleep(100 * 2 ** attempt);
  }
}

async function post(method, request) {
  const response = await fetch(`${API}/${method}`, {
    method: 'POST',
    headers: { 'X-API-Key': API_KEY },
    body: JSON.stringify(request),
    signal: AbortSignal.timeout(API_TIMEOUT_MS),
  });
  if (!response.ok) throw new Error(`status ${response.status}`);
  return response.json();
}

/**
 * What a page begins with: all messages, and the position in the stream from which it subscribes. The position is read first, so that
 * no message falls between the two; one that is in both has the same id.
 */
async function readState() {
  const { offset, epoch } = await call('history', { channel: CHANNEL, limit: 0 });
  return { channel: CHANNEL, messages: [...messages.values()], since: { offset, epoch } };
}

/** Stores, then publishes. The page made the id: whoever repeats the request, the message is there once. */
async function addMessage({ id, user, text }) {
  const message = { id: String(id), user: String(user), text: String(text) };
  if (!messages.has(message.id)) messages.set(message.id, message);
  await call('publish', { channel: CHANNEL, data: message, idempotency_key: message.id });
  return { id: message.id };
}

async function readBody(request) {
  let body = '';
  for await (const chunk of request) {
    body += chunk;
    if (body.length > MAX_BODY_BYTES) throw new Error('too large');
  }
  return JSON.parse(body);
}

const routes = {
  'GET /': async () => readFile(new URL('./page.html', import.meta.url), 'utf8'),
  // A real backend knows the user by the session; this one believes the page.
  'GET /token': async (url) => ({ token: connectionToken(url.searchParams.get('user') ?? '') }),
  'GET /messages': readState,
  'POST /messages': async (_url, request) => addMessage(await readBody(request)),
};

const server = createServer(async (request, response) => {
  const url = new URL(request.url ?? '/', 'http://backend');
  const route = routes[`${request.method} ${url.pathname}`];
  if (route === undefined) return response.writeHead(404).end();
  try {
    const answer = await route(url, request);
    const isPage = typeof answer === 'string';
    response.setHeader('Content-Type', isPage ? 'text/html; charset=utf-8' : 'application/json');
    response.end(isPage ? answer : JSON.stringify(answer));
  } catch (error) {
    process.stderr.write(`${String(error)}\n`);
    response.writeHead(503).end();
  }
});
server.listen(PORT, () => process.stdout.write(`the chat is on http://localhost:${PORT}\n`));

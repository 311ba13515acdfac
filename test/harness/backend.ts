import { createServer, type IncomingHttpHeaders } from 'node:http';

import { freePort } from './free-port.ts';

export interface BackendCall {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readonly<Record<string, unknown>>;
}

/** What the backend answers: a JSON value (or a promise of it), a `StatusAnswer`, or `NO_ANSWER`. */
export type BackendAnswer = unknown;

export interface Backend {
  readonly url: string;
  readonly calls: readonly BackendCall[];
  /** Calls of one path, for one channel or user. */
  callsOf(path: string, match?: Readonly<Record<string, unknown>>): BackendCall[];
  stop(): Promise<void>;
}

/** Never answered: the caller's own deadline must end the call. */
export const NO_ANSWER: unique symbol = Symbol('no answer');

/** The application's backend: an HTTP server that answers proxy calls as `answer` says. */
export async function startBackend(answer: (call: BackendCall) => BackendAnswer): Promise<Backend> {
  const calls: BackendCall[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      const call = { path: request.url ?? '', headers: request.headers, body: text === '' ? {} : JSON.parse(text) };
      calls.push(call);
      void Promise.resolve(answer(call)).then((body) => {
        if (body === NO_ANSWER) return;
        const status = isStatus(body) ? body.status : 200;
        response.writeHead(status, { 'Content-Type': 'application/json' });
        response.end(isStatus(body) ? (body.text ?? '') : JSON.stringify(body));
      });
    });
  });
  const port = await freePort();
  await new Promise<void>((resolve) => {
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${port}`,
    calls,
    callsOf: (path, match = {}) =>
      calls.filter(
        (call) => call.path === path && Object.entries(match).every(([key, value]) => call.body[key] === value),
      ),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** An answer that is not 200. */
export interface StatusAnswer {
  readonly status: number;
  readonly text?: string | undefined;
}

function isStatus(value: unknown): value is StatusAnswer {
  return typeof value === 'object' && value !== null && 'status' in value && typeof value.status === 'number';
}

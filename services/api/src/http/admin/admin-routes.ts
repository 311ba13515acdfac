import { Buffer } from 'node:buffer';
import type { Clock, Log } from '@carillon/service-kit';
import type { HttpRequest, HttpResponse, TemplatedApp } from 'uWebSockets.js';
import { createKeyComparison } from '../../key-comparison.ts';
import type { MethodTable } from '../../method/method-table.ts';
import { BAD_REQUEST, jsonAnswer, METHOD_NOT_ALLOWED, UNAUTHORIZED, type Answer } from '../answer.ts';
import { failureAnswer } from '../failure-answer.ts';
import { Exchange, writeAnswer } from '../exchange.ts';
import type { InFlight } from '../in-flight.ts';
import { legacyEndpoint } from '../legacy-endpoint.ts';
import { readBody } from '../read-body.ts';
import { createAdminTokens } from './admin-token.ts';

export interface AdminSettings {
  readonly isEnabled: boolean;
  /** Without a trailing slash; empty: the root. */
  readonly prefix: string;
  /** Empty, as an empty secret: nobody can log in. */
  readonly password: string;
  readonly secret: string;
  /** No login. */
  readonly isInsecure: boolean;
}

export interface AdminRoutesDeps {
  readonly settings: AdminSettings;
  readonly table: MethodTable;
  readonly inFlight: InFlight;
  readonly clock: Clock;
  readonly log: Log;
}

/** A form with a password is small, and anybody may send one. */
const MAX_FORM_BYTES = 64 * 1024;

type Handle = (body: Uint8Array) => Promise<Answer>;

/** What an admin interface asks: how things stand, a token for the password, and commands (channels-and-config §5.1). */
export function mountAdmin(app: TemplatedApp, { settings, table, inFlight, clock, log }: AdminRoutesDeps): void {
  const { isEnabled, prefix, password, secret, isInsecure } = settings;
  if (!isEnabled) return;
  const tokens = createAdminTokens(secret, clock);
  const isPassword = createKeyComparison(password);
  const hasLogin = password !== '' && secret !== '';
  const runCommands = legacyEndpoint(table);

  const isAdmin = (request: HttpRequest): boolean => {
    if (isInsecure) return true;
    const token = tokenOf(request);
    return secret !== '' && token !== '' && tokens.isValid(token);
  };
  const answer = (response: HttpResponse, handle: Handle): void => {
    const exchange = new Exchange(response, inFlight);
    readBody(exchange, clock, (body) => {
      handle(body).then(
        (ready) => exchange.send(ready),
        (error: unknown) => exchange.send(failureAnswer(error, log)),
      );
    });
  };

  app.any(`${prefix}/admin/init`, (response, request) => {
    writeAnswer(response, jsonLine({ authenticated: isAdmin(request), edition: 'oss', insecure: isInsecure }));
  });
  app.post(`${prefix}/admin/auth`, (response, request) => {
    if (Number(request.getHeader('content-length')) > MAX_FORM_BYTES) {
      writeAnswer(response, BAD_REQUEST, true);
      return;
    }
    const contentType = request.getHeader('content-type');
    const inQuery = new URLSearchParams(request.getQuery() ?? '').get('password') ?? '';
    answer(response, async (body) => {
      const given = (await passwordOf(body, contentType)) ?? inQuery;
      return hasLogin && isPassword(given) ? jsonLine({ token: tokens.issue() }) : BAD_REQUEST;
    });
  });
  app.post(`${prefix}/admin/api`, (response, request) => {
    if (!isAdmin(request)) writeAnswer(response, UNAUTHORIZED);
    else answer(response, (body) => runCommands(body, { errorMode: 'reply', trace: undefined }));
  });
  for (const name of ['auth', 'api']) {
    app.any(`${prefix}/admin/${name}`, (response) => writeAnswer(response, METHOD_NOT_ALLOWED));
  }
}

/** The token of `token T`, two fields exactly; the query counts only where there is no such header. */
function tokenOf(request: HttpRequest): string {
  const header = request.getHeader('authorization');
  if (header === '') return new URLSearchParams(request.getQuery() ?? '').get('token') ?? '';
  const [scheme = '', token = '', ...rest] = header.split(/\s+/u).filter((field) => field !== '');
  return rest.length === 0 && scheme.toLowerCase() === 'token' ? token : '';
}

/** The field of a form, in either of its encodings; undefined where there is none. */
async function passwordOf(body: Uint8Array, contentType: string): Promise<string | undefined> {
  try {
    const form = await new Response(Buffer.from(body), { headers: { 'Content-Type': contentType } }).formData();
    const password = form.get('password');
    return typeof password === 'string' ? password : undefined;
  } catch (error) {
    // What is no form has no password.
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

function jsonLine(value: object): Answer {
  return jsonAnswer(Buffer.from(`${JSON.stringify(value)}\n`));
}

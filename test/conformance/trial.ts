import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';

import type { ApiBody, Deployment } from '../harness/deployment.ts';
import type { Backend } from '../harness/backend.ts';
import { RawClient, type Json } from '../harness/raw-client.ts';
import { RawSocket, type RawSocketOptions } from '../harness/raw-socket.ts';
import { StreamingResponse } from '../harness/streaming-response.ts';
import { signToken, type Claims, type SigningOptions } from '../harness/token.ts';

export interface SocketOptions extends RawSocketOptions {
  readonly query?: string | undefined;
  readonly gateway?: number | undefined;
}

export interface ConnectOptions extends SocketOptions {
  /** Default: the user of the trial. '' connects without a token. */
  readonly user?: string | undefined;
  /** Claims besides `sub` and `exp`. */
  readonly claims?: Claims | undefined;
  readonly token?: string | undefined;
  /** More fields of the connect request. */
  readonly request?: Readonly<Record<string, unknown>> | undefined;
}

export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
  readonly json: Json;
}

const HTTP_TIMEOUT_MS = 15_000;

/** What one scenario works with. Names are its own, so that scenarios share a server; everything it opens is closed. */
export class Trial {
  readonly server: Deployment;
  readonly backend: Backend | undefined;
  /** Unique text for names of channels and users. */
  readonly id: string;
  readonly user: string;
  readonly #cleanUps: (() => void)[] = [];

  constructor(server: Deployment, backend?: Backend) {
    this.server = server;
    this.backend = backend;
    this.id = randomBytes(5).toString('hex');
    this.user = `u${this.id}`;
  }

  /** A channel of this trial in a namespace; '' for none. */
  channel(namespace = '', name = 'c'): string {
    return `${namespace === '' ? '' : `${namespace}:`}${name}${this.id}`;
  }

  token(claims: Claims = {}, options: SigningOptions = {}): string {
    const base = { sub: this.user, exp: Math.floor(Date.now() / 1000) + 3600 };
    return signToken({ ...base, ...claims }, options);
  }

  subToken(channel: string, claims: Claims = {}, options: SigningOptions = {}): string {
    return this.token({ channel, ...claims }, options);
  }

  wsUrl({ query, gateway }: SocketOptions = {}): string {
    return this.server.wsUrl(gateway) + (query === undefined ? '' : `?${query}`);
  }

  /** A WebSocket on which nothing was sent. */
  async socket(options: SocketOptions = {}): Promise<RawSocket> {
    const socket = await RawSocket.open(this.wsUrl(options), options);
    this.#cleanUps.push(() => socket.drop());
    return socket;
  }

  /** A WebSocket at another path. */
  async socketAt(path: string, options: RawSocketOptions = {}): Promise<RawSocket> {
    const socket = await RawSocket.open(this.server.gatewayUrl().replace('http', 'ws') + path, options);
    this.#cleanUps.push(() => socket.drop());
    return socket;
  }

  /** A JSON client that has not connected. */
  async open(options: SocketOptions = {}): Promise<RawClient> {
    return new RawClient(await this.socket(options));
  }

  /** A connected JSON client. */
  async connect(options: ConnectOptions = {}): Promise<RawClient> {
    const client = await this.open(options);
    const reply = await client.connect(this.connectRequest(options));
    expect(reply, 'connect reply').toMatchObject({ connect: { client: expect.any(String) } });
    return client;
  }

  connectRequest({ user = this.user, claims = {}, token, request = {} }: ConnectOptions = {}): Record<string, unknown> {
    const isAnonymous = user === '' && token === undefined;
    return { ...(isAnonymous ? {} : { token: token ?? this.token({ sub: user, ...claims }) }), ...request };
  }

  /** Result of a server API method that must succeed. */
  async result(method: string, body: unknown = {}): Promise<Json> {
    const { status, body: answer } = await this.server.api(method, body);
    expect({ status, error: answer.error }, `${method} by the server API`).toEqual({ status: 200, error: undefined });
    return answer.result;
  }

  /** Code of the error with which a server API method must answer. */
  async errorCode(method: string, body: unknown = {}): Promise<number | undefined> {
    const answer: ApiBody = (await this.server.api(method, body)).body;
    expect(answer.result, `result of ${method}`).toBeUndefined();
    return answer.error?.code;
  }

  publish(channel: string, data: unknown, more: Readonly<Record<string, unknown>> = {}): Promise<Json> {
    return this.result('publish', { channel, data, ...more });
  }

  /** One after the other. */
  async publishAll(channel: string, data: readonly unknown[]): Promise<void> {
    for (const item of data) await this.publish(channel, item);
  }

  /** A request to a gateway. */
  http(path: string, init: RequestInit = {}, gateway = 0): Promise<HttpAnswer> {
    return request(this.server.gatewayUrl(gateway) + path, init);
  }

  /** A request to the server API, without a key unless given. */
  apiHttp(path: string, init: RequestInit = {}): Promise<HttpAnswer> {
    return request(this.server.apiUrl() + path, { method: 'POST', ...init });
  }

  async stream(path: string, init: RequestInit = {}, gateway = 0): Promise<StreamingResponse> {
    const response = await StreamingResponse.open(this.server.gatewayUrl(gateway) + path, init);
    this.#cleanUps.push(() => response.close());
    return response;
  }

  close(): void {
    for (const cleanUp of this.#cleanUps) cleanUp();
  }
}

async function request(url: string, init: RequestInit): Promise<HttpAnswer> {
  const response = await fetch(url, { signal: AbortSignal.timeout(HTTP_TIMEOUT_MS), redirect: 'manual', ...init });
  const text = await response.text();
  const isJson = text.startsWith('{') && !text.includes('\n');
  return { status: response.status, text, headers: response.headers, json: isJson ? JSON.parse(text) : undefined };
}

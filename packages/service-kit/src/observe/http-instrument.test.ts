import { describe, expect, it } from 'vitest';

import { createMetrics } from '../metrics.ts';
import { createHttpInstrument } from './http-instrument.ts';

type Handler = (res: FakeResponse, req: { getMethod(): string }) => void;

class FakeResponse {
  readonly sent: string[] = [];
  writeStatus(status: string): this {
    this.sent.push(status);
    return this;
  }
  write(chunk: string): boolean {
    this.sent.push(chunk);
    return true;
  }
  end(body: string): this {
    this.sent.push(body);
    return this;
  }
  upgrade(): void {
    this.sent.push('upgraded');
  }
}

/** Keeps handlers by path, as an application of uWebSockets.js takes them. */
class FakeApp {
  readonly routes: Map<string, Handler> = new Map();
  get(path: string, handler: Handler): this {
    this.routes.set(path, handler);
    return this;
  }
  ws(path: string, { upgrade }: { upgrade: Handler }): this {
    this.routes.set(path, upgrade);
    return this;
  }
}

function setUp() {
  const metrics = createMetrics({ prefix: 'carillon', withProcessMetrics: false });
  const app = new FakeApp();
  const instrumented = createHttpInstrument(metrics)(app);
  const request = (path: string, method = 'get'): FakeResponse => {
    const res = new FakeResponse();
    app.routes.get(path)?.(res, { getMethod: () => method });
    return res;
  };
  const counted = async () =>
    (await metrics.render()).body.match(/(?<=_requests_total).*/gm)?.filter((line) => line.startsWith('{'));
  return { instrumented, request, counted };
}

describe('createHttpInstrument', () => {
  it('counts a request once, by route, method and status, and lets everything through', async () => {
    const { instrumented, request, counted } = setUp();
    instrumented.get('/a', (res) => void res.end('fine'));
    instrumented.get('/b', (res) => void res.writeStatus('404 Not Found').end('no'));
    expect(request('/a').sent).toEqual(['fine']);
    request('/a', 'post');
    expect(request('/b', 'brew').sent).toEqual(['404 Not Found', 'no']);
    expect(await counted()).toEqual([
      '{path="/a",method="GET",status="200"} 1',
      '{path="/a",method="POST",status="200"} 1',
      '{path="/b",method="OTHER",status="404"} 1',
    ]);
  });

  it('counts a stream when it begins, an upgrade as 101, and a request without an answer not at all', async () => {
    const { instrumented, request, counted } = setUp();
    instrumented.get('/stream', (res) => {
      res.write('one');
      res.write('two');
      res.end('');
    });
    instrumented.get('/gone', () => undefined);
    instrumented.ws('/ws', { upgrade: (res) => res.upgrade() });
    for (const path of ['/stream', '/gone', '/ws']) request(path);
    expect(await counted()).toEqual([
      '{path="/stream",method="GET",status="200"} 1',
      '{path="/ws",method="GET",status="101"} 1',
    ]);
  });
});

import { afterEach, describe, expect, it } from 'vitest';
import { bytes, startEdge, type TestEdge, type TestEdgeOptions, text } from './fixture/start-edge.ts';

let edge: TestEdge | undefined;
afterEach(() => edge?.close());

async function start(options?: TestEdgeOptions): Promise<TestEdge> {
  edge = await startEdge(options);
  return edge;
}

const status = async (body: string | Uint8Array, headers: Record<string, string> = {}): Promise<number> => {
  const response = await fetch(`${edge?.url}/emulation`, { method: 'POST', body, headers });
  expect(await response.text()).toBe('');
  return response.status;
};

const PROTOBUF = { 'content-type': 'application/octet-stream' };

describe('POST /emulation', () => {
  it('hands on the commands of a JSON string', async () => {
    const { emulated } = await start();
    expect(await status('{"node":"n","session":"s","data":"{\\"id\\":1}\\n{}"}')).toBe(204);
    expect(emulated.map(({ frame, ...rest }) => ({ ...rest, frame: text(frame) }))).toEqual([
      { node: 'n', session: 's', frame: '{"id":1}\n{}' },
    ]);
  });

  it('hands on the bytes of a Protobuf request', async () => {
    const { emulated } = await start();
    const body = Uint8Array.of(0x0a, 1, 0x6e, 0x12, 1, 0x73, 0x1a, 1, 0);
    expect(await status(body, PROTOBUF)).toBe(204);
    expect(emulated).toEqual([{ node: 'n', session: 's', frame: Uint8Array.of(0) }]);
  });

  it('takes null as an empty frame and drops data that is no string', async () => {
    const { emulated } = await start();
    expect(await status('{"node":"n","session":"s","data":null}')).toBe(204);
    expect(emulated.map(({ frame }) => frame.length)).toEqual([0]);
    expect(await status('{"node":"n","session":"s","data":{"id":1}}')).toBe(204);
    expect(await status('{"node":"n","session":"s"}')).toBe(204);
    expect(emulated.map(({ node, session }) => ({ node, session }))).toEqual([
      { node: 'n', session: 's' },
      { node: 'n', session: '' },
      { node: 'n', session: '' },
    ]);
  });

  it('answers 404 for an unknown node', async () => {
    await start({ emulate: () => Promise.resolve('unknown_node') });
    expect(await status('{"node":"x","session":"s","data":5}')).toBe(404);
    expect(await status('{"node":"n","session":"s","data":"{}"}')).toBe(404);
  });

  it('answers 500 when the node does not answer', async () => {
    await start({ emulate: () => Promise.resolve('unreachable') });
    expect(await status('{"node":"n","session":"s","data":"{}"}')).toBe(500);
    edge?.close();
    await start({ emulate: () => Promise.reject(new Error('deadline')) });
    expect(await status('{"node":"n","session":"s","data":"{}"}')).toBe(500);
  });

  it('answers 400 for bodies that cannot be decoded', async () => {
    const { emulated } = await start();
    expect(await status('{"node":')).toBe(400);
    expect(await status('')).toBe(400);
    expect(await status(bytes('garbage'), PROTOBUF)).toBe(400);
    expect(emulated).toEqual([]);
  });

  it('answers 413 for large bodies, 405 for other methods and 204 for a preflight', async () => {
    const { url } = await start();
    const tooLarge = await fetch(`${url}/emulation`, { method: 'POST', body: 'x'.repeat(65_537) });
    expect([tooLarge.status, tooLarge.headers.get('connection')]).toEqual([413, 'close']);
    expect((await fetch(`${url}/emulation`)).status).toBe(405);
    const preflight = await fetch(`${url}/emulation`, { method: 'OPTIONS' });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-max-age')).toBe('300');
  });

  it('survives a client that leaves before the answer', async () => {
    let answer: ((outcome: 'done') => void) | undefined;
    const { url, emulated } = await start({ emulate: () => new Promise((resolve) => (answer = resolve)) });
    const abort = new AbortController();
    const request = fetch(`${url}/emulation`, { method: 'POST', body: '{"data":"{}"}', signal: abort.signal });
    await expect.poll(() => emulated.length).toBe(1);
    abort.abort();
    await expect(request).rejects.toThrow();
    expect((await fetch(`${url}/connection/init`)).status).toBe(200);
    answer?.('done');
    expect((await fetch(`${url}/connection/init`)).status).toBe(200);
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { post } from '../fixture/http-call.ts';
import { startApi, type RunningApi } from '../fixture/start-api.ts';

describe('batch', () => {
  let api: RunningApi;
  beforeAll(async () => {
    api = await startApi();
  });
  afterAll(() => api.close());

  const run = async (request: object): Promise<unknown> => JSON.parse((await post(api, '/api/batch', request)).text);

  it('replies to every command in its place (81)', async () => {
    const commands = [
      { publish: { channel: 'a', data: 1 } },
      { info: {} },
      null,
      {},
      { device_list: {} },
      { publish: null },
    ];
    const notFound = { error: { code: 104, message: 'not found' } };
    expect(await run({ commands })).toEqual({
      replies: [
        { publish: {} },
        { info: { nodes: [expect.objectContaining({ uid: 'node-id' })] } },
        { error: { code: 107, message: 'bad request' } },
        notFound,
        notFound,
        notFound,
      ],
    });
  });

  it('runs commands one after the other, or all at once in the same order of replies (82)', async () => {
    const commands = Array.from({ length: 1_500 }, (_, i) => ({
      publish: { channel: i % 2 ? 'x:y' : 'hi:batch', data: i },
    }));
    const { replies } = (await run({ commands })) as { replies: { publish?: { offset: number } }[] };
    expect(replies.flatMap(({ publish }) => publish?.offset ?? [])).toEqual(
      Array.from({ length: 750 }, (_, i) => i + 1),
    );
    const parallel = (await run({ commands, parallel: true })) as { replies: object[] };
    expect(parallel.replies.map((reply) => Object.keys(reply)[0])).toEqual(
      commands.map((_, i) => (i % 2 ? 'error' : 'publish')),
    );
  });

  it('of nothing is an empty object (82)', async () => {
    expect((await post(api, '/api/batch', {})).text).toBe('{}');
    expect((await post(api, '/api/batch', { commands: [] })).text).toBe('{}');
  });

  it('runs the first method of a command with several (83)', async () => {
    expect(await run({ commands: [{ info: {}, publish: { channel: 'a', data: 1 } }] })).toEqual({
      replies: [{ publish: {} }],
    });
  });

  it('goes on after a failure', async () => {
    const commands = [{ publish: {} }, { rpc: {} }, { publish: { channel: 'a', data: 1 } }];
    expect(await run({ commands })).toMatchObject({
      replies: [{ error: { code: 107 } }, { error: { code: 107 } }, { publish: {} }],
    });
  });

  it('is refused as a whole when a command has the wrong type', async () => {
    expect((await post(api, '/api/batch', { commands: [{ publish: { channel: 1 } }] })).status).toBe(400);
    expect((await post(api, '/api/batch', { commands: {} })).status).toBe(400);
  });
});

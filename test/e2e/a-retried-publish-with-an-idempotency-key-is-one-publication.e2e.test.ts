import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startCluster } from '../harness/cluster.ts';
import { API_KEY, type ApiBody, type Deployment } from '../harness/deployment.ts';
import { eventually } from '../harness/eventually.ts';
import { openOfficialClient, type OfficialClient } from '../harness/official-client.ts';

const config = {
  channel: {
    without_namespace: { allow_subscribe_for_client: true },
    namespaces: [{ name: 'log', allow_subscribe_for_client: true, history_size: 2_000, history_ttl: '300s' }],
  },
};
/** Api instances that are killed, one after the other; one more stays. */
const VICTIMS = 3;
const PUBLISHES = 300;
const DEADLINE_MS = 15_000;

interface Position {
  readonly offset?: number;
  readonly epoch?: string;
}

describe('a publish that is repeated with its idempotency key', () => {
  let server: Deployment;
  let client: OfficialClient;

  beforeAll(async () => {
    server = await startCluster({ config, gateways: 1, apis: VICTIMS + 1, authPolicies: 0 });
    client = openOfficialClient({ url: server.wsUrl(), token: server.token('u') });
    await client.connect();
  });
  afterAll(async () => {
    client.close();
    await server.stop();
  });

  const publish = async (api: number, channel: string, key: string): Promise<Position | undefined> => {
    try {
      const response = await fetch(`${server.apiUrl(api)}/api/publish`, {
        method: 'POST',
        headers: { 'X-API-Key': API_KEY },
        body: JSON.stringify({ channel, data: key, idempotency_key: key }),
        signal: AbortSignal.timeout(DEADLINE_MS),
      });
      const { result } = (await response.json()) as ApiBody;
      return result;
    } catch {
      // Nobody knows whether it was published: what callers repeat.
      return undefined;
    }
  };

  it.each(['log:any', 'plain'])('is the same publication on every node: %s', async (channel) => {
    const { publications } = await client.subscribe(channel);
    const first = await publish(0, channel, 'same');
    for (let api = 0; api <= VICTIMS; api += 1) expect(await publish(api, channel, 'same')).toEqual(first);
    const others = await Promise.all(server.apis.map((_, api) => publish(api, channel, 'other')));
    expect(new Set(others.map((position) => JSON.stringify(position))).size).toBe(1);
    await publish(VICTIMS, channel, 'last');
    await eventually(() => expect(publications).toEqual(['same', 'other', 'last']));
  });

  it('is the same publication when the api that stored it was killed before it answered', async () => {
    const channel = 'log:killed';
    const { publications } = await client.subscribe(channel);
    const positions = new Map<string, Position>();
    let unanswered = 0;
    for (let victim = 0; victim < VICTIMS; victim += 1) {
      const keys = Array.from({ length: PUBLISHES }, (_, index) => `${victim}-${index}`);
      const answers = keys.map((key) => publish(victim, channel, key));
      // The first are answered, most are not.
      await Promise.race(answers);
      await server.apis[victim]?.kill();
      const answered = await Promise.all(answers);
      const stored = new Set((await historyOf(channel)).map(({ data }) => data));
      for (const [index, key] of keys.entries()) {
        const position = answered[index];
        if (position === undefined) unanswered += stored.has(key) ? 1 : 0;
        else positions.set(key, position);
      }
      const repeated = await Promise.all(keys.map((key) => eventually(() => sure(publish(VICTIMS, channel, key)))));
      for (const [index, key] of keys.entries()) {
        if (positions.has(key)) expect(repeated[index], key).toEqual(positions.get(key));
      }
    }
    expect(unanswered, 'stored by an api that did not live to say so').toBeGreaterThan(0);
    const history = await historyOf(channel);
    const expected = Array.from({ length: VICTIMS }, (_, victim) =>
      Array.from({ length: PUBLISHES }, (_unused, index) => `${victim}-${index}`),
    ).flat();
    expect(history.map(({ data }) => data).sort()).toEqual(expected.sort());
    expect(history.map(({ offset }) => offset)).toEqual(expected.map((_, index) => index + 1));
    await eventually(() => expect(publications).toEqual(history.map(({ data }) => data)));
  }, 120_000);

  const historyOf = async (channel: string): Promise<{ readonly data: string; readonly offset: number }[]> => {
    const { body } = await server.api('history', { channel, limit: -1 }, VICTIMS);
    return (body.result?.['publications'] ?? []) as { data: string; offset: number }[];
  };
});

async function sure(answer: Promise<Position | undefined>): Promise<Position> {
  const position = await answer;
  if (position === undefined) throw new Error('not published');
  return position;
}

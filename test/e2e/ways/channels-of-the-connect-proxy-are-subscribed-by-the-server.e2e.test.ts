import { describe, expect, it } from 'vitest';

import { DEPLOYMENTS } from '../../harness/deployments.ts';
import { answerConnectBySession } from './connect-backend.ts';
import { usePlace } from './personal-channel-fixture.ts';

const config = (backend: string): Record<string, unknown> => ({
  client: { proxy: { connect: { enabled: true, endpoint: `${backend}/connect`, timeout: '3s' } } },
  channel: { namespaces: [{ name: 'personal' }] },
});

const answer = answerConnectBySession((user) => ({ channels: [`personal:${user}`] }));

describe.each(DEPLOYMENTS)('$kind', ({ start }) => {
  const { backend, person, expectOnly } = usePlace({ start, config, answer });

  it('the user is subscribed on connect to what the backend answers, and gets what is published', async () => {
    const phone = person({ data: { session: 'of-17' } }, 0);
    const laptop = person({ data: new TextEncoder().encode('{"session":"of-17"}') }, 1, 'protobuf');
    const other = person({ data: { session: 'of-18' } }, 1);
    await Promise.all([phone.connect(), laptop.connect(), other.connect()]);
    expect(phone.serverSide).toEqual(['personal:17']);
    expect(laptop.serverSide).toEqual(['personal:17']);
    expect(other.serverSide).toEqual(['personal:18']);
    expect(backend().callsOf('/connect')).toHaveLength(3);
    await expectOnly('personal:17', [phone, laptop], [other]);
  });

  it('another user cannot subscribe to the channel: 103', async () => {
    const other = person({ data: { session: 'of-18' } });
    await other.connect();
    expect(await other.subscribe('personal:17')).toBe(103);
  });

  it('a session that the backend does not know ends with the code that the backend gives', async () => {
    const stranger = person({ data: { session: 'made-up' } });
    stranger.client.client.connect();
    expect(await stranger.endedWith()).toBe(4501);
  });

  it('a backend that names nobody leaves the connection without a user: 3501', async () => {
    const nobody = person({ data: { session: 'nobody' } });
    nobody.client.client.connect();
    expect(await nobody.endedWith()).toBe(3501);
  });
});

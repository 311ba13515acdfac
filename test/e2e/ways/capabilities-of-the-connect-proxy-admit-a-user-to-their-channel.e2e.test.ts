import { describe, expect, it } from 'vitest';

import { DEPLOYMENTS } from '../../harness/deployments.ts';
import { answerConnectBySession } from './connect-backend.ts';
import { usePlace } from './personal-channel-fixture.ts';

const config = (backend: string): Record<string, unknown> => ({
  client: { proxy: { connect: { enabled: true, endpoint: `${backend}/connect`, timeout: '3s' } } },
  channel: { namespaces: [{ name: 'personal' }] },
});

const answer = answerConnectBySession((user) => ({ caps: [{ channels: [`personal:${user}`], allow: ['sub'] }] }));

describe.each(DEPLOYMENTS)('$kind', ({ start }) => {
  const { person, expectOnly } = usePlace({ start, config, answer });

  it('the user subscribes where the capabilities that the backend gave allow it, and gets what is published', async () => {
    const phone = person({ data: { session: 'of-17' } }, 0);
    const laptop = person({ data: new TextEncoder().encode('{"session":"of-17"}') }, 1, 'protobuf');
    const other = person({ data: { session: 'of-18' } }, 1);
    await Promise.all([phone.connect(), laptop.connect(), other.connect()]);
    expect(phone.serverSide).toEqual([]);
    expect(await phone.subscribe('personal:17')).toBe('subscribed');
    expect(await laptop.subscribe('personal:17')).toBe('subscribed');
    expect(await other.subscribe('personal:18')).toBe('subscribed');
    await expectOnly('personal:17', [phone, laptop], [other]);
  });

  it('another user is refused with 103', async () => {
    const other = person({ data: { session: 'of-18' } });
    await other.connect();
    expect(await other.subscribe('personal:17')).toBe(103);
    expect(other.isConnected()).toBe(true);
  });
});

import { describe, expect, it } from 'vitest';

import type { BackendAnswer, BackendCall } from '../../harness/backend.ts';
import { DEPLOYMENTS } from '../../harness/deployments.ts';
import { OTHER, USER, usePlace } from './personal-channel-fixture.ts';

const config = (backend: string): Record<string, unknown> => ({
  channel: {
    proxy: { subscribe: { endpoint: `${backend}/subscribe`, timeout: '3s' } },
    namespaces: [{ name: 'personal', subscribe_proxy_enabled: true, allow_subscribe_for_client: true }],
  },
});

/** Everyone may have the channel that bears their name. */
function answer({ body }: BackendCall): BackendAnswer {
  if (body['channel'] === `personal:${String(body['user'])}`) return { result: {} };
  if (body['channel'] === 'personal:bye') return { disconnect: { code: 4501, reason: 'not yours' } };
  return { error: { code: 103, message: 'permission denied' } };
}

describe.each(DEPLOYMENTS)('$kind', ({ start }) => {
  const { server, backend, person, expectOnly } = usePlace({ start, config, answer });

  it('the user subscribes when the backend agrees, and gets what is published', async () => {
    const phone = person({ token: server().token(USER) }, 0);
    const laptop = person({ token: server().token(USER) }, 1, 'protobuf');
    const other = person({ token: server().token(OTHER) }, 1);
    await Promise.all([phone.connect(), laptop.connect(), other.connect()]);
    expect(await phone.subscribe('personal:17')).toBe('subscribed');
    expect(await laptop.subscribe('personal:17')).toBe('subscribed');
    expect(await other.subscribe('personal:18')).toBe('subscribed');
    expect(backend().callsOf('/subscribe', { user: USER, channel: 'personal:17' })).toHaveLength(2);
    await expectOnly('personal:17', [phone, laptop], [other]);
  });

  it('another user is refused with 103, although the namespace is open to clients', async () => {
    const other = person({ token: server().token(OTHER) });
    await other.connect();
    expect(await other.subscribe('personal:17')).toBe(103);
    expect(other.isConnected()).toBe(true);
  });

  it('the backend may end the connection with a code of its own', async () => {
    const other = person({ token: server().token(OTHER) });
    await other.connect();
    void other.subscribe('personal:bye').catch(() => undefined);
    expect(await other.endedWith()).toBe(4501);
  });
});

import { describe, expect, it } from 'vitest';

import { DEPLOYMENTS } from '../../harness/deployments.ts';
import { OTHER, USER, usePlace } from './personal-channel-fixture.ts';

const config = {
  client: {
    allow_anonymous_connect_without_token: true,
    subscribe_to_user_personal_channel: { enabled: true, personal_channel_namespace: 'personal' },
  },
  channel: { namespaces: [{ name: 'personal', allow_user_limited_channels: true }] },
};

describe.each(DEPLOYMENTS)('$kind', ({ start }) => {
  const { server, person, expectOnly } = usePlace({ start, config: () => config });

  it('each user is subscribed on connect to the channel of their name, and gets what is published', async () => {
    const phone = person({ token: server().token(USER) }, 0);
    const laptop = person({ token: server().token(USER) }, 1, 'protobuf');
    const other = person({ token: server().token(OTHER) }, 1);
    await Promise.all([phone.connect(), laptop.connect(), other.connect()]);
    expect(phone.serverSide).toEqual(['personal:#17']);
    expect(laptop.serverSide).toEqual(['personal:#17']);
    expect(other.serverSide).toEqual(['personal:#18']);
    await expectOnly('personal:#17', [phone, laptop], [other]);
  });

  it('another user cannot subscribe to the channel: 103', async () => {
    const other = person({ token: server().token(OTHER) });
    await other.connect();
    expect(await other.subscribe('personal:#17')).toBe(103);
  });

  it('an anonymous connection has no such channel, and is refused that of a user: 103', async () => {
    const anonymous = person({});
    await anonymous.connect();
    expect(anonymous.serverSide).toEqual([]);
    expect(await anonymous.subscribe('personal:#17')).toBe(103);
  });
});

import { describe, expect, it } from 'vitest';

import { DEPLOYMENTS } from '../../harness/deployments.ts';
import { OTHER, USER, usePlace } from './personal-channel-fixture.ts';

const config = {
  channel: { namespaces: [{ name: 'personal', allow_user_limited_channels: true }] },
  client: { allow_anonymous_connect_without_token: true },
};

describe.each(DEPLOYMENTS)('$kind', ({ start }) => {
  const { server, person, expectOnly } = usePlace({ start, config: () => config });

  it('the user in the name subscribes from any device, and gets what is published', async () => {
    const phone = person({ token: server().token(USER) }, 0);
    const laptop = person({ token: server().token(USER) }, 1, 'protobuf');
    const other = person({ token: server().token(OTHER) }, 1);
    await Promise.all([phone.connect(), laptop.connect(), other.connect()]);
    expect(await phone.subscribe('personal:#17')).toBe('subscribed');
    expect(await laptop.subscribe('personal:#17')).toBe('subscribed');
    expect(await other.subscribe('personal:#18')).toBe('subscribed');
    await expectOnly('personal:#17', [phone, laptop], [other]);
  });

  it('another user is refused with 103', async () => {
    const other = person({ token: server().token(OTHER) });
    await other.connect();
    expect(await other.subscribe('personal:#17')).toBe(103);
    expect(await other.subscribe('personal:17')).toBe(103);
    expect(other.isConnected()).toBe(true);
  });

  it('an anonymous connection is refused with 103, also where the list has an empty entry', async () => {
    const anonymous = person({});
    await anonymous.connect();
    expect(await anonymous.subscribe('personal:#17')).toBe(103);
    expect(await anonymous.subscribe('personal:#')).toBe(103);
    expect(await anonymous.subscribe('personal:#17,')).toBe(103);
  });

  it('a list admits each of its users and nobody who is only like one of them', async () => {
    const people = [USER, OTHER, '1', '7', '171'].map((user) => person({ token: server().token(user) }));
    await Promise.all(people.map((one) => one.connect()));
    const outcomes = await Promise.all(people.map((one) => one.subscribe('personal:talk#17,18')));
    expect(outcomes).toEqual(['subscribed', 'subscribed', 103, 103, 103]);
  });
});

import { describe, expect, it } from 'vitest';

import { DEPLOYMENTS } from '../../harness/deployments.ts';
import { secondsFromNow, signToken } from '../../harness/token.ts';
import { OTHER, USER, usePlace } from './personal-channel-fixture.ts';

const config = { channel: { namespaces: [{ name: 'personal' }] } };

describe.each(DEPLOYMENTS)('$kind', ({ start }) => {
  const { server, person, expectOnly } = usePlace({ start, config: () => config });

  it('the user is subscribed on connect without asking, and gets what is published', async () => {
    const phone = person({ token: server().token(USER, { channels: ['personal:17'] }) }, 0);
    const laptop = person({ token: server().token(USER, { subs: { 'personal:17': {} } }) }, 1, 'protobuf');
    const other = person({ token: server().token(OTHER, { channels: ['personal:18'] }) }, 1);
    await Promise.all([phone.connect(), laptop.connect(), other.connect()]);
    expect(phone.serverSide).toEqual(['personal:17']);
    expect(laptop.serverSide).toEqual(['personal:17']);
    expect(other.serverSide).toEqual(['personal:18']);
    await expectOnly('personal:17', [phone, laptop], [other]);
  });

  it('another user cannot subscribe to the channel: 103', async () => {
    const other = person({ token: server().token(OTHER, { channels: ['personal:18'] }) });
    await other.connect();
    expect(await other.subscribe('personal:17')).toBe(103);
  });

  it('a token in which another user has written the channel ends the connection with 3500', async () => {
    const claims = { sub: OTHER, channels: ['personal:17'], exp: secondsFromNow(60) };
    const other = person({ token: signToken(claims, { secret: 'guessed' }) });
    other.client.client.connect();
    expect(await other.endedWith()).toBe(3500);
    expect(other.serverSide).toEqual([]);
  });
});

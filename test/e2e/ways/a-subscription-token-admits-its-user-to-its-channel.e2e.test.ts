import { describe, expect, it } from 'vitest';

import { DEPLOYMENTS } from '../../harness/deployments.ts';
import { secondsFromNow, signToken } from '../../harness/token.ts';
import { OTHER, USER, usePlace } from './personal-channel-fixture.ts';

const config = { channel: { namespaces: [{ name: 'personal' }] } };

describe.each(DEPLOYMENTS)('$kind', ({ start }) => {
  const { server, person, expectOnly } = usePlace({ start, config: () => config });

  it('the user subscribes with the token that the backend signed, and gets what is published', async () => {
    const asked: string[] = [];
    const getToken = async ({ channel }: { channel: string }): Promise<string> => {
      asked.push(channel);
      return server().subToken(USER, channel);
    };
    const phone = person({ token: server().token(USER) }, 0);
    const laptop = person({ token: server().token(USER) }, 1, 'protobuf');
    const other = person({ token: server().token(OTHER) }, 1);
    await Promise.all([phone.connect(), laptop.connect(), other.connect()]);
    expect(await phone.subscribe('personal:17', { getToken })).toBe('subscribed');
    expect(await laptop.subscribe('personal:17', { token: server().subToken(USER, 'personal:17') })).toBe('subscribed');
    expect(
      await other.subscribe('personal:18', { getToken: async () => server().subToken(OTHER, 'personal:18') }),
    ).toBe('subscribed');
    expect(asked).toEqual(['personal:17']);
    await expectOnly('personal:17', [phone, laptop], [other]);
  });

  it('another user who has got hold of the token is disconnected with 3500', async () => {
    const other = person({ token: server().token(OTHER) });
    await other.connect();
    void other.subscribe('personal:17', { token: server().subToken(USER, 'personal:17') }).catch(() => undefined);
    expect(await other.endedWith()).toBe(3500);
    expect(other.received).toEqual([]);
  });

  it('a token for another channel ends the connection with 3500', async () => {
    const other = person({ token: server().token(OTHER) });
    await other.connect();
    void other.subscribe('personal:17', { token: server().subToken(OTHER, 'personal:18') }).catch(() => undefined);
    expect(await other.endedWith()).toBe(3500);
  });

  it('no token, and a token signed with another key, are refused with 103', async () => {
    const other = person({ token: server().token(OTHER) });
    await other.connect();
    expect(await other.subscribe('personal:17')).toBe(103);
    const forged = signToken(
      { sub: OTHER, channel: 'personal:forged', exp: secondsFromNow(60) },
      { secret: 'guessed' },
    );
    expect(await other.subscribe('personal:forged', { token: forged })).toBe(103);
    expect(other.isConnected()).toBe(true);
  });
});

import { describe, expect, it } from 'vitest';

import { DEPLOYMENTS } from '../../harness/deployments.ts';
import { eventually } from '../../harness/eventually.ts';
import { secondsFromNow, signToken } from '../../harness/token.ts';
import { OTHER, USER, usePlace } from './personal-channel-fixture.ts';

const config = { channel: { namespaces: [{ name: 'personal' }] } };
const capsOf = (user: string): unknown => [{ channels: [`personal:${user}`], allow: ['sub'] }];

describe.each(DEPLOYMENTS)('$kind', ({ start }) => {
  const { server, person, expectOnly } = usePlace({ start, config: () => config });

  it('the user subscribes where the capabilities allow it, and gets what is published', async () => {
    const wildcard = [{ channels: ['personal:17*'], allow: ['sub'], match: 'wildcard' }];
    const phone = person({ token: server().token(USER, { caps: capsOf(USER) }) }, 0);
    const laptop = person({ token: server().token(USER, { caps: wildcard }) }, 1, 'protobuf');
    const other = person({ token: server().token(OTHER, { caps: capsOf(OTHER) }) }, 1);
    await Promise.all([phone.connect(), laptop.connect(), other.connect()]);
    expect(await phone.subscribe('personal:17')).toBe('subscribed');
    expect(await laptop.subscribe('personal:17')).toBe('subscribed');
    expect(await other.subscribe('personal:18')).toBe('subscribed');
    await expectOnly('personal:17', [phone, laptop], [other]);
  });

  it('another user is refused with 103', async () => {
    const other = person({ token: server().token(OTHER, { caps: capsOf(OTHER) }) });
    await other.connect();
    expect(await other.subscribe('personal:17')).toBe(103);
    expect(other.isConnected()).toBe(true);
  });

  it('a capability for another operation does not admit: 103', async () => {
    const caps = [{ channels: ['personal:17'], allow: ['pub', 'hst', 'prs'] }];
    const other = person({ token: server().token(OTHER, { caps }) });
    await other.connect();
    expect(await other.subscribe('personal:17')).toBe(103);
  });

  it('a refresh with fewer capabilities ends what only they had admitted, with 2000', async () => {
    const soon = {
      caps: [...(capsOf(USER) as []), { channels: ['personal:kept'], allow: ['sub'] }],
      exp: secondsFromNow(3),
    };
    const tokens = [
      server().token(USER, soon),
      server().token(USER, { caps: [{ channels: ['personal:kept'], allow: ['sub'] }] }),
    ];
    const phone = person({ getToken: async () => tokens.shift() ?? '' });
    await phone.connect();
    const ended: string[] = [];
    expect(await phone.subscribe('personal:17')).toBe('subscribed');
    expect(await phone.subscribe('personal:kept')).toBe('subscribed');
    for (const [channel, subscription] of Object.entries(phone.client.client.subscriptions())) {
      subscription.on('unsubscribed', ({ code }) => void ended.push(`${channel} ${code}`));
    }
    await eventually(() => expect(ended).toEqual(['personal:17 2000']), 15_000);
    await expectOnly('personal:kept', [phone], []);
    expect(ended).toEqual(['personal:17 2000']);
    expect(phone.isConnected()).toBe(true);
  });

  it('capabilities that another user has written into a token end the connection with 3500', async () => {
    const claims = { sub: OTHER, caps: capsOf(USER), exp: secondsFromNow(60) };
    const other = person({ token: signToken(claims, { secret: 'guessed' }) });
    other.client.client.connect();
    expect(await other.endedWith()).toBe(3500);
  });
});

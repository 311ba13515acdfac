import type { Subscription } from 'centrifuge';
import { describe, expect, it } from 'vitest';

import type { Deployment } from '../../harness/deployment.ts';
import { DEPLOYMENTS } from '../../harness/deployments.ts';
import { eventually } from '../../harness/eventually.ts';
import { signToken } from '../../harness/token.ts';
import { OTHER, USER, usePlace, type Person } from './personal-channel-fixture.ts';

const config = {
  client: { subscription_token: { legacy_client_claim: true } },
  channel: { namespaces: [{ name: 'personal' }] },
};
const CHANNEL = '$personal:17';

const tokenOf = (client: string): string => signToken({ client, channel: CHANNEL });

/** Connects, and gives the ID of the connection. */
async function connect(person: Person): Promise<string> {
  const connected = new Promise<string>((resolve) => {
    person.client.client.once('connected', ({ client }) => resolve(client));
  });
  await person.connect();
  return connected;
}

async function sendAway(server: Deployment, user: string): Promise<void> {
  await server.api('disconnect', { user, disconnect: { code: 3011, reason: 'force reconnect' } });
}

describe.each(DEPLOYMENTS)('$kind', ({ start }) => {
  const { server, person, expectOnly } = usePlace({ start, config: () => config });

  it('the connection it names subscribes, although the token names no user', async () => {
    const phone = person({ token: server().token(USER) });
    const token = tokenOf(await connect(phone));
    expect(await phone.subscribe(CHANNEL, { token })).toBe('subscribed');
    await expectOnly(CHANNEL, [phone], []);
  });

  it('any other connection is disconnected with 3500, that of the same user too', async () => {
    const token = tokenOf(await connect(person({ token: server().token(USER) })));
    for (const user of [USER, OTHER]) {
      const thief = person({ token: server().token(user) }, 1);
      await thief.connect();
      void thief.subscribe(CHANNEL, { token }).catch(() => undefined);
      expect(await thief.endedWith()).toBe(3500);
    }
  });

  it('a client that keeps the token of its former connection ends with 3500', async () => {
    const phone = person({ token: server().token('19') });
    const token = tokenOf(await connect(phone));
    expect(await phone.subscribe(CHANNEL, { token })).toBe('subscribed');
    await sendAway(server(), '19');
    expect(await phone.endedWith()).toBe(3500);
  });

  it('a subscription that lives as long as the connection gets a token of its own each time', async () => {
    const phone = person({ token: server().token('20') });
    const { client } = phone.client;
    const subscribed: string[] = [];
    let subscription: Subscription | undefined;
    client.on('connecting', () => subscription !== undefined && client.removeSubscription(subscription));
    client.on('connected', ({ client: id }) => {
      subscription = client.newSubscription(CHANNEL, { getToken: async () => tokenOf(id) });
      subscription.on('subscribed', () => void subscribed.push(id));
      subscription.subscribe();
    });
    await phone.connect();
    await eventually(() => expect(subscribed).toHaveLength(1));
    await sendAway(server(), '20');
    await eventually(() => expect(subscribed).toHaveLength(2));
    expect(new Set(subscribed).size).toBe(2);
    expect(phone.client.events.filter((event) => event.startsWith('disconnected'))).toEqual([]);
  });
});

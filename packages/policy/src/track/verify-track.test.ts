import { createHash, createHmac } from 'node:crypto';

import { expect, test } from 'vitest';

import { brief, channelWith } from '../decide/permission-fixtures.ts';
import { verifyTrack, type TrackQuestion } from './verify-track.ts';

const SECRETS = { current: 'new', previous: 'old', previousValidUntil: 1_000 };
const KEYS = ['a', 'b'];

/** A signature as a backend makes it. */
function sign(secret: string, { iat = 900, exp = 2_000, user = '42', channel = 'ns:x', keys = KEYS } = {}): string {
  const hash = createHash('sha256').update(keys.join('\0')).digest('hex');
  const text = `${iat}\0${exp}\0${user}\0${channel}\0${hash}`;
  return `${iat}:${exp}:${createHmac('sha256', secret).update(text).digest('hex')}`;
}

function verify(signature: string, change: Partial<TrackQuestion> = {}): string | number {
  return brief(
    verifyTrack({
      channel: channelWith('ns:x', { subscriptionType: 'shared_poll' }),
      signature,
      user: '42',
      keys: KEYS,
      secrets: SECRETS,
      now: 1_500,
      ...change,
    }),
  );
}

test.each<[string, string, Partial<TrackQuestion>, string | number]>([
  ['a valid one', sign('new'), {}, 'allow'],
  ['one that never expires', sign('new', { exp: 0 }), { now: 9e9 }, 'allow'],
  ['at the end of the leeway', sign('new'), { now: 2_005 }, 'allow'],
  ['after the leeway', sign('new'), { now: 2_006 }, 109],
  ['a wrong one that has expired too', sign('x'), { now: 2_006 }, 103],
  ['keys in another order', sign('new', { keys: ['b', 'a'] }), {}, 103],
  ['other keys', sign('new'), { keys: ['a', 'b', 'c'] }, 103],
  ['another user', sign('new'), { user: '43' }, 103],
  ['another channel', sign('new', { channel: 'ns:y' }), {}, 103],
  ['another secret', sign('x'), {}, 103],
  ['the previous secret', sign('old'), {}, 'allow'],
  ['the previous secret, issued too late', sign('old', { iat: 1_001 }), {}, 103],
  [
    'the previous secret without limit',
    sign('old', { iat: 1_001 }),
    { secrets: { ...SECRETS, previousValidUntil: 0 } },
    'allow',
  ],
  ['no previous secret', sign(''), { secrets: { ...SECRETS, previous: '' } }, 103],
  ['no secret at all', sign(''), { secrets: { ...SECRETS, current: '' } }, 100],
  ['upper case', sign('new').toUpperCase(), {}, 103],
  ['a form that is wrong', '1:2', {}, 103],
  ['nothing', '', {}, 103],
  ['an unknown namespace', sign('new'), { channel: undefined }, 102],
  ['another kind of channel', sign('new'), { channel: channelWith('ns:x', {}) }, 103],
])('a track signature: %s', (_title, signature, change, outcome) => {
  expect(verify(signature, change)).toBe(outcome);
});

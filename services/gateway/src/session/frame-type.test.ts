import { expect, test } from 'vitest';
import { frameTypeOfPush, frameTypeOfReply } from './frame-type.ts';

test('a reply is named after the command it answers', () => {
  const names = (
    [
      'connect',
      'subscribe',
      'unsubscribe',
      'publish',
      'presence',
      'presenceStats',
      'history',
      'rpc',
      'refresh',
      'subRefresh',
    ] as const
  ).map((field) => frameTypeOfReply({ id: 1, [field]: {} }));
  expect(names.join(' ')).toBe(
    'connect subscribe unsubscribe publish presence presence_stats history rpc refresh sub_refresh',
  );
  expect(frameTypeOfReply({ id: 1, error: { code: 100 } })).toBe('unknown');
});

test('a push is named after what it carries', () => {
  const names = (
    ['pub', 'join', 'leave', 'subscribe', 'unsubscribe', 'connect', 'message', 'refresh', 'disconnect'] as const
  ).map((field) => frameTypeOfPush({ channel: 'c', [field]: {} }));
  expect(names).toEqual(
    ['publication', 'join', 'leave', 'subscribe', 'unsubscribe', 'connect', 'message', 'refresh', 'disconnect'].map(
      (name) => `push_${name}`,
    ),
  );
});

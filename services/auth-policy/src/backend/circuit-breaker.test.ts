import { FakeClock } from '@carillon/service-kit';
import { expect, test } from 'vitest';

import { CircuitBreaker, type CircuitState } from './circuit-breaker.ts';

function start() {
  const clock = new FakeClock();
  const states: CircuitState[] = [];
  const breaker = new CircuitBreaker({
    clock,
    failureThreshold: 3,
    openMs: 500,
    onChange: (state) => states.push(state),
  });
  const fail = (times: number): void => {
    for (let index = 0; index < times; index++) breaker.failed();
  };
  return { clock, breaker, states, fail };
}

test('only consecutive failures open it', () => {
  const { breaker, fail } = start();
  fail(2);
  breaker.succeeded();
  fail(2);
  expect(breaker.tryEnter()).toBe(true);
  fail(1);
  expect(breaker.tryEnter()).toBe(false);
});

test('after the open period one probe passes, and its success closes it', () => {
  const { clock, breaker, states, fail } = start();
  fail(3);
  clock.advanceSync(499);
  expect(breaker.tryEnter()).toBe(false);
  clock.advanceSync(1);
  expect(breaker.tryEnter()).toBe(true);
  expect(breaker.tryEnter()).toBe(false);
  breaker.succeeded();
  expect(breaker.tryEnter()).toBe(true);
  expect(states).toEqual(['open', 'half_open', 'closed']);
});

test('a probe that fails opens it for another period', () => {
  const { clock, breaker, fail } = start();
  fail(3);
  clock.advanceSync(500);
  expect(breaker.tryEnter()).toBe(true);
  breaker.failed();
  expect(breaker.tryEnter()).toBe(false);
  clock.advanceSync(500);
  expect(breaker.tryEnter()).toBe(true);
});

test('a probe that was never made may be made again at once', () => {
  const { clock, breaker, fail } = start();
  fail(3);
  clock.advanceSync(500);
  expect(breaker.tryEnter()).toBe(true);
  breaker.abandoned();
  expect(breaker.tryEnter()).toBe(true);
});

test('late failures of earlier calls do not prolong the open period', () => {
  const { clock, breaker, fail } = start();
  fail(3);
  clock.advanceSync(400);
  fail(5);
  clock.advanceSync(100);
  expect(breaker.tryEnter()).toBe(true);
});

import { policyMethods } from '@carillon/protocol/cluster';
import { expect, test } from 'vitest';

import type { Ask, Decision } from '../decision-service.ts';
import { fromWireDecision, toWireDecision } from './decision-wire.ts';
import { fromWireQuestion, toWireQuestion } from './question-wire.ts';

const { requestSerialize, requestDeserialize, responseSerialize, responseDeserialize } = policyMethods.decide;

test.each<[string, Ask<object>]>([
  ['nothing but a name', { message: {}, proxyName: 'default', origin: { headers: new Map(), emulatedHeaders: {} } }],
  [
    'everything',
    {
      message: { client: 'c', user: '42', data: new Uint8Array([0, 1]), meta: new Uint8Array([2]) },
      proxyName: 'one',
      origin: {
        headers: new Map([
          ['cookie', ['a', 'b']],
          ['__proto__', ['x']],
        ]),
        emulatedHeaders: { authorization: 'x' },
        metadata: new Map([['k', ['v']]]),
      },
      trace: { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', tracestate: 'a=1,b=2' },
    },
  ],
])('a question with %s arrives as it was asked', (_title, ask) => {
  const sent = requestSerialize({ id: 7, publish: toWireQuestion(ask, 100) });
  const { id, publish } = requestDeserialize(sent);
  expect(id).toBe(7);
  const received = publish && fromWireQuestion(publish);
  expect(received).toMatchObject({ proxyName: ask.proxyName, message: ask.message });
  expect(received?.origin.headers).toEqual(ask.origin.headers);
  expect({ ...received?.origin.emulatedHeaders }).toEqual(ask.origin.emulatedHeaders);
  expect(received?.origin.metadata).toEqual(ask.origin.metadata);
  expect(received?.trace).toEqual(ask.trace);
});

test.each<[string, Decision<{ data?: Uint8Array | undefined }>]>([
  ['a result', { kind: 'result', result: { data: new Uint8Array([1, 2]) } }],
  ['no result', { kind: 'result', result: undefined }],
  ['an error', { kind: 'error', code: 1000, message: 'custom', temporary: true }],
  ['an error of the highest code', { kind: 'error', code: 0xffffffff, message: 'x', temporary: false }],
  ['an error without a code', { kind: 'error', code: 0, message: '', temporary: false }],
  ['a disconnect', { kind: 'disconnect', code: 4500, reason: 'banned' }],
  ['a failure', { kind: 'failed', reason: 'timeout' }],
  ['a failure without a reason', { kind: 'failed', reason: '' }],
])('%s arrives as it was decided', (_title, decision) => {
  const { publish } = responseDeserialize(responseSerialize({ id: 1, publish: toWireDecision(decision) }));
  expect(fromWireDecision(publish)).toMatchObject(decision);
});

test('an empty result is not taken for none', () => {
  const { publish } = responseDeserialize(
    responseSerialize({ publish: toWireDecision({ kind: 'result', result: {} }) }),
  );
  const decision = fromWireDecision(publish);
  expect(decision.kind === 'result' && decision.result).toBeTruthy();
});

test('an answer without a decision is a failure', () => {
  expect(fromWireDecision({})).toMatchObject({ kind: 'failed' });
  expect(fromWireDecision(undefined)).toMatchObject({ kind: 'failed' });
});

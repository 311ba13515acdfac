import { DECIDE_BATCH_FIELD, policyMethods, type DecideReply, type DecideRequest } from '@carillon/protocol/cluster';
import { expect, test } from 'vitest';

import { MessageBatch } from './message-batch.ts';

const { requestSerialize, requestDeserialize, responseSerialize, responseDeserialize } = policyMethods.decide;

function batchOf(field: number) {
  const written: Buffer[] = [];
  const flushes: (() => void)[] = [];
  const batch = new MessageBatch({
    field,
    schedule: (flush) => void flushes.push(flush),
    write: (message) => void written.push(message),
  });
  const turn = (): void => flushes.splice(0).forEach((flush) => flush());
  return { batch, written, turn };
}

test('questions of one turn travel as one message, in their order', () => {
  const { batch, written, turn } = batchOf(DECIDE_BATCH_FIELD.request);
  const questions: DecideRequest[] = [1, 2, 3].map((id) => ({
    id,
    rpc: { request: { method: 'm'.repeat(id * 100), data: new Uint8Array([id]) } },
  }));
  for (const question of questions) batch.add(requestSerialize(question));
  expect(written).toEqual([]);
  turn();
  expect(written.map((message) => requestDeserialize(message).batch)).toMatchObject([questions]);
});

test('replies are batched in their own field', () => {
  const { batch, written, turn } = batchOf(DECIDE_BATCH_FIELD.reply);
  const replies: DecideReply[] = [
    { id: 1, rpc: { none: {} } },
    { id: 300, streamEnd: { failed: true } },
  ];
  for (const reply of replies) batch.add(responseSerialize(reply));
  turn();
  expect(written.map((message) => responseDeserialize(message).batch)).toMatchObject([replies]);
});

test('a message alone travels as it is, and the next turn begins anew', () => {
  const { batch, written, turn } = batchOf(DECIDE_BATCH_FIELD.request);
  for (const id of [1, 2]) {
    batch.add(requestSerialize({ id }));
    turn();
  }
  expect(written.map((message) => requestDeserialize(message).id)).toEqual([1, 2]);
});

test('a batch stays below its bound, a message beyond the bound goes alone', () => {
  const { batch, written, turn } = batchOf(DECIDE_BATCH_FIELD.request);
  const sizes = [40_000, 20_000, 10_000, 200_000, 10];
  sizes.forEach((size, id) => {
    batch.add(requestSerialize({ id: id + 1, publish: { request: { data: new Uint8Array(size) } } }));
  });
  turn();
  const received = written.map((message) => requestDeserialize(message));
  expect(received.map(({ id, batch: inside }) => id ?? inside?.map((each) => each.id))).toEqual([[1, 2], 3, 4, 5]);
});

test('what was gathered can be forgotten', () => {
  const { batch, written, turn } = batchOf(DECIDE_BATCH_FIELD.request);
  batch.add(requestSerialize({ id: 1 }));
  batch.clear();
  turn();
  expect(written).toEqual([]);
});

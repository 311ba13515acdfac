import { field, frame, message } from '../../harness/protobuf-fields.ts';
import { bytesOf, numberOf, readFields, readMessages, textOf } from './read-fields.ts';
import type { Position, Publication, Push, Reply, SubscribeResult, Wire, Wish } from './wire.ts';

type Open<T> = { -readonly [K in keyof T]: T[K] };

export const protobufWire: Wire = {
  subprotocols: ['centrifuge-protobuf'],
  pong: frame(new Uint8Array()),
  connect: (id, { token, recover }) => {
    const subs = [...recover].map(([channel, position]) =>
      field(3, message(field(1, channel), field(2, message(...recoverFields(position))))),
    );
    return frame(message(field(1, id), field(4, message(field(1, token), ...subs))));
  },
  subscribe: (id, { channel, recover, wants }) => {
    const position = recover === undefined ? [] : recoverFields(recover);
    return frame(message(field(1, id), field(5, message(field(1, channel), ...position, ...wishFields(wants)))));
  },
  publish: (id, { channel, data }) =>
    frame(message(field(1, id), field(7, message(field(1, channel), field(2, data))))),
  decode: (bytes) => readMessages(bytes).map(replyOf),
};

function recoverFields({ epoch, offset }: Position): Uint8Array[] {
  return [field(3, 1), field(6, epoch), field(7, offset)];
}

function wishFields(wish: Wish | undefined): Uint8Array[] {
  if (wish === undefined) return [];
  if (wish.kind === 'delta') return [field(12, 'fossil')];
  return [field(13, message(field(2, 'k'), field(3, 'eq'), field(4, wish.tag)))];
}

function replyOf(bytes: Uint8Array): Reply {
  const reply: Open<Reply> = { id: 0, isPing: bytes.length === 0 };
  readFields(bytes, (number, value) => {
    if (number === 1) reply.id = numberOf(value);
    if (number === 2) reply.error = errorOf(bytesOf(value));
    if (number === 4) reply.push = pushOf(bytesOf(value));
    if (number === 5) reply.connect = subsOf(bytesOf(value));
    if (number === 6) reply.subscribe = resultOf(bytesOf(value));
  });
  return reply;
}

function errorOf(bytes: Uint8Array): NonNullable<Reply['error']> {
  const error = { code: 0, message: '', temporary: false };
  readFields(bytes, (number, value) => {
    if (number === 1) error.code = numberOf(value);
    if (number === 2) error.message = textOf(value);
    if (number === 3) error.temporary = value === 1;
  });
  return error;
}

function pushOf(bytes: Uint8Array): Push {
  const push: Open<Push> = { channel: '' };
  readFields(bytes, (number, value) => {
    if (number === 2) push.channel = textOf(value);
    if (number === 4) push.publication = publicationOf(bytesOf(value));
    if (number === 7) push.unsubscribeCode = unsubscribeCodeOf(bytesOf(value));
  });
  return push;
}

function unsubscribeCodeOf(bytes: Uint8Array): number {
  let code = 0;
  readFields(bytes, (number, value) => {
    if (number === 2) code = numberOf(value);
  });
  return code;
}

function subsOf(bytes: Uint8Array): Map<string, SubscribeResult> {
  const subs = new Map<string, SubscribeResult>();
  readFields(bytes, (number, value) => {
    if (number !== 6) return;
    let channel = '';
    let result = resultOf(new Uint8Array());
    readFields(bytesOf(value), (part, content) => {
      if (part === 1) channel = textOf(content);
      if (part === 2) result = resultOf(bytesOf(content));
    });
    subs.set(channel, result);
  });
  return subs;
}

function resultOf(bytes: Uint8Array): SubscribeResult {
  const publications: Publication[] = [];
  const result: Open<SubscribeResult> = {
    epoch: '',
    offset: 0,
    recoverable: false,
    wasRecovering: false,
    recovered: false,
    hasDelta: false,
    publications,
  };
  readFields(bytes, (number, value) => {
    if (number === 3) result.recoverable = value === 1;
    if (number === 6) result.epoch = textOf(value);
    if (number === 7) publications.push(publicationOf(bytesOf(value)));
    if (number === 8) result.recovered = value === 1;
    if (number === 9) result.offset = numberOf(value);
    if (number === 13) result.hasDelta = value === 1;
    if (number === 12) result.wasRecovering = value === 1;
  });
  return result;
}

function publicationOf(bytes: Uint8Array): Publication {
  const publication: Open<Publication> = { offset: 0, epoch: '', text: '' };
  readFields(bytes, (number, value) => {
    if (number === 4) publication.text = textOf(value);
    if (number === 6) publication.offset = numberOf(value);
    if (number === 8) publication.isPatch = value === 1;
    if (number === 14) publication.epoch = textOf(value);
  });
  return publication;
}

import type { Publication, Reply, SubscribeResult, Wire, Wish } from './wire.ts';

interface JsonPublication {
  readonly data: unknown;
  readonly offset?: number;
  readonly epoch?: string;
  readonly delta?: boolean;
}

interface JsonSubscribeResult {
  readonly epoch?: string;
  readonly offset?: number;
  readonly recoverable?: boolean;
  readonly was_recovering?: boolean;
  readonly recovered?: boolean;
  readonly delta?: boolean;
  readonly publications?: readonly JsonPublication[];
}

interface JsonReply {
  readonly id?: number;
  readonly error?: { readonly code: number; readonly message: string; readonly temporary?: boolean };
  readonly connect?: { readonly subs?: Readonly<Record<string, JsonSubscribeResult>> };
  readonly subscribe?: JsonSubscribeResult;
  readonly push?: {
    readonly channel?: string;
    readonly pub?: JsonPublication;
    readonly unsubscribe?: { readonly code: number };
  };
}

export const jsonWire: Wire = {
  subprotocols: [],
  pong: '{}',
  connect: (id, { token, recover }) => {
    const subs = [...recover].map(([channel, position]) => [channel, { recover: true, ...position }]);
    return JSON.stringify({ id, connect: { token, subs: Object.fromEntries(subs) } });
  },
  subscribe: (id, { channel, recover, wants }) => {
    const position = recover === undefined ? {} : { recover: true, ...recover };
    return JSON.stringify({ id, subscribe: { channel, ...position, ...wishOf(wants) } });
  },
  publish: (id, { channel, data }) => `{"id":${id},"publish":{"channel":${JSON.stringify(channel)},"data":${data}}}`,
  decode: (frame) => frame.toString().split('\n').map(replyOf),
};

function replyOf(line: string): Reply {
  const reply = JSON.parse(line) as JsonReply;
  const { id = 0, error, connect, subscribe, push } = reply;
  return {
    id,
    isPing: line === '{}',
    error: error === undefined ? undefined : { ...error, temporary: error.temporary ?? false },
    connect:
      connect === undefined
        ? undefined
        : new Map(Object.entries(connect.subs ?? {}).map(([channel, result]) => [channel, resultOf(result)])),
    subscribe: subscribe === undefined ? undefined : resultOf(subscribe),
    push:
      push === undefined
        ? undefined
        : {
            channel: push.channel ?? '',
            publication: push.pub === undefined ? undefined : publicationOf(push.pub),
            unsubscribeCode: push.unsubscribe?.code,
          },
  };
}

function resultOf(result: JsonSubscribeResult): SubscribeResult {
  return {
    epoch: result.epoch ?? '',
    offset: result.offset ?? 0,
    recoverable: result.recoverable ?? false,
    wasRecovering: result.was_recovering ?? false,
    recovered: result.recovered ?? false,
    hasDelta: result.delta ?? false,
    publications: (result.publications ?? []).map(publicationOf),
  };
}

function publicationOf({ data, offset = 0, epoch = '', delta = false }: JsonPublication): Publication {
  const isString = typeof data === 'string';
  return { offset, epoch, text: isString ? data : JSON.stringify(data), isPatch: delta, isString };
}

function wishOf(wish: Wish | undefined): object {
  if (wish === undefined) return {};
  return wish.kind === 'delta' ? { delta: 'fossil' } : { tf: { key: 'k', cmp: 'eq', val: wish.tag } };
}

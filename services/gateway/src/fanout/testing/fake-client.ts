import { applyDelta } from '@carillon/protocol/channel';
import { decodeReplies, pushCodec, type Publication, type Push } from '@carillon/protocol/client';
import type {
  HandshakeRequest,
  Socket,
  TopicMessageKind,
  TopicPublisher,
  TransportTraits,
  WireForm,
} from '../../edge/socket.ts';
import type { Subscriber } from '../subscriber.ts';

/** The topics of a transport: hands a message to every socket subscribed, at once. */
export class FakeTopics implements TopicPublisher {
  readonly members: Map<string, Set<FakeClient>> = new Map();
  /** Messages published, in order: what was encoded and handed over once for many. */
  readonly published: { topic: string; message: Uint8Array; form: WireForm }[] = [];

  publish(topic: string, message: Uint8Array, { form }: Pick<TopicMessageKind, 'form'>): void {
    this.published.push({ topic, message, form });
    for (const client of this.members.get(topic) ?? []) client.receive(message);
  }
}

export interface FakeClientOptions {
  readonly form?: WireForm;
  /** Default true. */
  readonly topics?: boolean;
}

const REQUEST: HandshakeRequest = { headers: new Map(), remoteAddress: '127.0.0.1' };

function notExpected(): never {
  throw new Error('the hub has no business calling this');
}

/** A session as the hub sees it. Keeps everything it was sent and told. */
export class FakeClient implements Subscriber {
  readonly form: WireForm;
  readonly topics: Set<string> = new Set();
  readonly messages: Uint8Array[] = [];
  readonly lost: string[] = [];
  refusals = 0;
  /** Messages that came by `send` rather than by a topic. */
  sends = 0;
  onLost: (channel: string) => void = () => undefined;
  onMessage: () => void = () => undefined;
  readonly socket: Socket;

  constructor(registry: FakeTopics, { form = 'json', topics = true }: FakeClientOptions = {}) {
    this.form = form;
    this.socket = {
      traits: traitsOf(form, topics),
      request: REQUEST,
      send: (message: Uint8Array) => {
        this.sends += 1;
        this.receive(message);
      },
      batch: (write: () => void) => write(),
      subscribe: (topic: string) => {
        if (!topics || this.topics.has(topic)) notExpected();
        this.topics.add(topic);
        const members = registry.members.get(topic) ?? new Set();
        registry.members.set(topic, members.add(this));
      },
      unsubscribe: (topic: string) => {
        if (!this.topics.delete(topic)) notExpected();
        const members = registry.members.get(topic);
        members?.delete(this);
        if (members?.size === 0) registry.members.delete(topic);
      },
      close: notExpected,
      drop: notExpected,
    };
  }

  receive(message: Uint8Array): void {
    this.messages.push(message);
    this.onMessage();
  }

  onInsufficientState(channel: string): void {
    this.lost.push(channel);
    this.onLost(channel);
  }

  onInappropriatePayload(): void {
    this.refusals += 1;
  }

  get pushes(): Push[] {
    return this.messages.map((message) => decodePush(this.form, message));
  }

  get publications(): Publication[] {
    return this.pushes.flatMap(({ pub }) => (pub === undefined ? [] : [pub]));
  }

  get offsets(): number[] {
    return this.publications.map(({ offset = 0 }) => offset);
  }

  /** Payload texts as they stand on the wire. */
  get payloads(): string[] {
    return this.publications.map(({ data }) => text(data));
  }
}

function traitsOf(form: WireForm, topics: boolean): TransportTraits {
  const unidirectional = form === 'uni_json' || form === 'uni_protobuf';
  return {
    name: unidirectional ? 'uni_websocket' : 'websocket',
    encoding: form === 'json' || form === 'uni_json' ? 'json' : 'protobuf',
    form,
    unidirectional,
    emulated: false,
    applicationPing: true,
    topics,
  };
}

function decodePush(form: WireForm, message: Uint8Array): Push {
  if (form === 'uni_json') return pushCodec.readJson(message);
  if (form === 'uni_protobuf') return pushCodec.readProtobuf(message);
  const [reply] = decodeReplies(form, message);
  return reply?.push ?? {};
}

export function text(data: Uint8Array | undefined): string {
  return Buffer.from(data ?? new Uint8Array(0)).toString('utf8');
}

export function bytes(value: string): Uint8Array {
  return Buffer.from(value, 'utf8');
}

/** What an SDK makes of the publications of a delta subscription: the payload texts. Throws where a patch does not fit. */
export class DeltaReader {
  #base: Uint8Array | undefined = undefined;
  readonly #isJson: boolean;

  constructor(encoding: 'json' | 'protobuf') {
    this.#isJson = encoding === 'json';
  }

  read(publications: readonly Publication[]): string[] {
    return publications.map((publication) => this.#readOne(publication));
  }

  #readOne({ data = new Uint8Array(0), delta }: Publication): string {
    let raw = data;
    if (this.#isJson) {
      const value: unknown = JSON.parse(text(data));
      if (typeof value !== 'string') throw new Error(`not a JSON string: ${text(data)}`);
      raw = bytes(value);
    }
    if (delta === true) {
      if (this.#base === undefined) throw new Error('a patch without a base');
      raw = applyDelta(this.#base, raw);
    }
    this.#base = raw;
    return text(raw);
  }
}

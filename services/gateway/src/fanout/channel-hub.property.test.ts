import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { WireForm } from '../edge/socket.ts';
import type { OpenedState, OpenOptions, OpenSubscription } from './hub-port.ts';
import { DeltaReader, text, type FakeClient } from './testing/fake-client.ts';
import { FREE, HubBench, settle } from './testing/hub-bench.ts';

const CLIENTS = 4;
const CHANNEL = 'news';
const BLOCKS = [
  'it was the best of times, it was the worst of times, ',
  'it was the age of wisdom, ',
  'it was the spring of hope, ',
];
/** The same blocks in another order: a patch between two is short, and useless on any base but its own. */
const WORDS = [0, 1, 2].map((first) => [...BLOCKS.slice(first), ...BLOCKS.slice(0, first)].join(''));
const FILTER = { key: 'parity', cmp: 'eq', val: '0' };

/** What a client asks for; `recovers` from where it was when its last subscription ended. */
interface Wish {
  readonly positioned: boolean;
  readonly recovers: boolean;
  readonly delta: boolean;
  readonly filtered: boolean;
}

type Step =
  | { readonly kind: 'publish'; readonly outside: boolean; readonly delta: boolean }
  | { readonly kind: 'arrive'; readonly count: number }
  | { readonly kind: 'lose' }
  | { readonly kind: 'repeat' }
  | { readonly kind: 'reset'; readonly tells: boolean }
  | { readonly kind: 'serve' }
  | { readonly kind: 'read' }
  | { readonly kind: 'open'; readonly client: number; readonly wish: Wish }
  | { readonly kind: 'finish'; readonly client: number }
  | { readonly kind: 'close'; readonly client: number };

const wish: fc.Arbitrary<Wish> = fc.record({
  positioned: fc.boolean(),
  recovers: fc.boolean(),
  delta: fc.boolean(),
  filtered: fc.boolean(),
});
const client = fc.nat(CLIENTS - 1);

function steps(faults: boolean): fc.Arbitrary<Step[]> {
  const usual: fc.WeightedArbitrary<Step>[] = [
    {
      weight: 8,
      arbitrary: fc.record({
        kind: fc.constant('publish'),
        outside: fc.boolean(),
        delta: fc.boolean(),
      }) as fc.Arbitrary<Step>,
    },
    {
      weight: 8,
      arbitrary: fc.record({
        kind: fc.constant('arrive'),
        count: fc.integer({ min: 1, max: 3 }),
      }) as fc.Arbitrary<Step>,
    },
    { weight: 3, arbitrary: fc.constant({ kind: 'serve' }) },
    { weight: 4, arbitrary: fc.constant({ kind: 'read' }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('open'), client, wish }) as fc.Arbitrary<Step> },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('finish'), client }) as fc.Arbitrary<Step> },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('close'), client }) as fc.Arbitrary<Step> },
  ];
  const unusual: fc.WeightedArbitrary<Step>[] = [
    { weight: 1, arbitrary: fc.constant({ kind: 'lose' }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'repeat' }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('reset'), tells: fc.boolean() }) as fc.Arbitrary<Step> },
  ];
  // Short scripts hardly get a subscriber live: the usual bias towards them is turned off.
  return fc.array(fc.oneof(...usual, ...(faults ? unusual : [])), { minLength: 30, maxLength: 120, size: 'max' });
}

/** One subscription of one client, as the client sees it. */
interface Life {
  readonly wish: Wish;
  readonly options: OpenOptions;
  open: OpenSubscription | undefined;
  state: OpenedState | undefined;
  /** Index of its first message. */
  from: number;
  isOver: boolean;
  wasTold: boolean;
}

/** Drives a hub and a model of what each client may see, step by step. */
class Model {
  readonly bench: HubBench = new HubBench();
  readonly clients: FakeClient[];
  readonly #lives: (Life | undefined)[] = Array.from({ length: CLIENTS }, () => undefined);
  /** Where each client is: what it recovers from next time. */
  readonly #places: { offset: number; epoch: string }[] = Array.from({ length: CLIENTS }, () => ({
    offset: 0,
    epoch: '',
  }));
  /** Payloads by epoch and offset: the truth. */
  readonly #truth: Map<string, { payload: string; parity: number }> = new Map();
  #published = 0;
  readonly #hadFaults: boolean;
  unrecovered = 0;

  constructor(hadFaults: boolean) {
    this.#hadFaults = hadFaults;
    const forms: { form: WireForm; topics: boolean }[] = [
      { form: 'json', topics: true },
      { form: 'protobuf', topics: true },
      { form: 'uni_json', topics: false },
      { form: 'json', topics: true },
    ];
    this.clients = forms.map((transport) => this.bench.client(transport));
    this.bench.broker.isAutomatic = false;
    for (const [index, fake] of this.clients.entries()) {
      fake.onLost = () => {
        const life = this.#lives[index];
        if (life?.state === undefined) throw new Error('told without a subscription');
        life.wasTold = true;
        this.#end(index);
      };
    }
  }

  async take(step: Step): Promise<void> {
    const { broker, hub } = this.bench;
    if (step.kind === 'publish') this.#publish(step);
    else if (step.kind === 'arrive') broker.arrive(CHANNEL, step.count);
    else if (step.kind === 'lose') broker.lose(CHANNEL, 1);
    else if (step.kind === 'repeat') broker.repeat(CHANNEL);
    else if (step.kind === 'reset') broker.reset(CHANNEL, step.tells);
    else if (step.kind === 'serve') broker.serveRead();
    else if (step.kind === 'read') broker.answerRead();
    else if (step.kind === 'open') this.#open(step.client, step.wish);
    else if (step.kind === 'finish') this.#finish(step.client);
    else {
      hub.close(this.#client(step.client), CHANNEL);
      this.#end(step.client);
    }
    broker.joins.shift()?.promise.resolve();
    await settle();
  }

  /** Answers everything, lets everything arrive, and checks what is still open. */
  async end(): Promise<void> {
    const { broker } = this.bench;
    for (let round = 0; round < 4; round += 1) {
      for (const join of broker.joins.splice(0)) join.promise.resolve();
      await settle();
      while (broker.answerRead());
      await settle();
      broker.arrive(CHANNEL);
    }
    for (let index = 0; index < CLIENTS; index += 1) {
      this.#finish(index);
      this.#end(index);
    }
    expect(this.bench.topics.members.size).toBeLessThanOrEqual(CLIENTS);
  }

  #client(index: number): FakeClient {
    const found = this.clients[index];
    if (found === undefined) throw new Error(`no client ${index}`);
    return found;
  }

  #publish({ outside, delta }: { outside: boolean; delta: boolean }): void {
    this.#published += 1;
    const parity = this.#published % 2;
    const options = { delta, skipHistory: outside && this.#published % 3 === 0, tags: { parity: `${parity}` } };
    const words = WORDS[this.#published % WORDS.length];
    const payload = JSON.stringify({ words, isOutside: options.skipHistory, n: this.#published });
    this.bench.broker.send(CHANNEL, payload, options);
    const { epoch, top } = this.bench.broker.stream(CHANNEL);
    if (!options.skipHistory) this.#truth.set(`${epoch} ${top}`, { payload, parity });
  }

  #open(index: number, asked: Wish): void {
    if (this.#lives[index] !== undefined) return;
    const place = this.#places[index];
    const options: OpenOptions = {
      ...FREE,
      positioned: asked.positioned,
      recoverable: asked.positioned,
      recoverFrom: asked.recovers ? place : undefined,
      delta: asked.delta,
      filter: asked.filtered ? FILTER : undefined,
    };
    const life: Life = {
      wish: asked,
      options,
      open: undefined,
      state: undefined,
      from: 0,
      isOver: false,
      wasTold: false,
    };
    this.#lives[index] = life;
    void this.bench.hub.open(this.#client(index), CHANNEL, options).then((open) => {
      if (!life.isOver) life.open = open;
    });
  }

  #finish(index: number): void {
    const life = this.#lives[index];
    if (life?.open === undefined || life.state !== undefined) return;
    life.from = this.#client(index).messages.length;
    try {
      life.state = life.open.finish();
    } catch (error) {
      // Told so: only a stream that lost something or began anew may do that.
      expect(error).toMatchObject({ code: 3010 });
      expect(this.#hadFaults).toBe(true);
      this.#lives[index] = undefined;
      return;
    }
    if (life.state.wasRecovering && !life.state.recovered && life.options.recoverable) this.unrecovered += 1;
  }

  #end(index: number): void {
    const life = this.#lives[index];
    this.#lives[index] = undefined;
    if (life === undefined) return;
    life.isOver = true;
    if (life.state !== undefined) this.#check(index, life, life.state);
  }

  /** Everything between where the subscription began and where it ended came once, in order, with the right payload. */
  #check(index: number, life: Life, state: OpenedState): void {
    const fake = this.#client(index);
    const pushed = fake.publications.slice(life.from);
    const all = [...state.publications, ...pushed];
    const payloads = life.wish.delta
      ? new DeltaReader(fake.socket.traits.encoding).read(all)
      : all.map(({ data }) => text(data));
    if (!state.positioned || state.epoch === undefined) return;
    const got = all.flatMap(({ offset = 0 }, at) => (offset > 0 ? [{ offset, payload: payloads[at] }] : []));
    const begin = state.offset ?? 0;
    const { epoch } = state;
    const last = got.at(-1)?.offset ?? begin;
    const end = life.wasTold ? last : this.#arrivedUpTo(epoch, last);
    const isFiltered = life.wish.filtered && !life.wish.delta;
    const expected = [];
    for (let offset = begin + 1; offset <= end; offset += 1) {
      const truth = this.#truth.get(`${epoch} ${offset}`);
      if (truth !== undefined && !(isFiltered && truth.parity !== 0)) expected.push({ offset, payload: truth.payload });
    }
    expect(got).toEqual(expected);
    this.#places[index] = { offset: last, epoch };
  }

  /** What must have reached a live subscriber: all of the stream but what is still on its way. */
  #arrivedUpTo(epoch: string, atLeast: number): number {
    const stream = this.bench.broker.stream(CHANNEL);
    if (stream.epoch !== epoch || this.#hadFaults) return atLeast;
    const waiting = stream.inFlight.find(({ publication }) => (publication.offset ?? 0) > 0);
    return waiting === undefined ? stream.top : (waiting.publication.offset ?? 0) - 1;
  }
}

async function run(script: readonly Step[], faults: boolean): Promise<Model> {
  const model = new Model(faults);
  for (const step of script) await model.take(step);
  await model.end();
  return model;
}

describe('a subscriber', () => {
  it('sees each publication after its position exactly once, in order, whatever overtakes what', async () => {
    await fc.assert(
      fc.asyncProperty(steps(false), async (script) => {
        const model = await run(script, false);
        expect(model.clients.flatMap(({ lost }) => lost)).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  it('sees the same when publications are lost and streams begin anew, or is told', async () => {
    await fc.assert(
      fc.asyncProperty(steps(true), async (script) => {
        await run(script, true);
      }),
      { numRuns: 200 },
    );
  });
});

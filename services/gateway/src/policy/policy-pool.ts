import type { DecideReply } from '@carillon/protocol/cluster';
import type { Clock, Log } from '@carillon/service-kit';

import { AddressWatch, type LookupAddresses } from './address-watch.ts';
import type { StreamReceiver } from './instance-streams.ts';
import { PolicyInstance, type OnOutcome, type PolicyQuestion } from './policy-instance.ts';
import type { PolicyClientMetrics } from './policy-metrics.ts';

export interface PolicyPoolOptions {
  readonly addresses: readonly string[];
  readonly defaultPort: number;
  readonly lookup: LookupAddresses;
  readonly maxInFlight: number;
  readonly deadlineMs: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly metrics: PolicyClientMetrics;
}

export type PolicyFailure = 'overloaded' | 'timeout' | 'lost' | 'no_instance' | 'unencodable';

export const POLICY_FAILURE_REASON: Readonly<Record<PolicyFailure, string>> = {
  overloaded: 'too many questions wait for auth-policy',
  timeout: 'auth-policy did not answer in time',
  lost: 'the stream to auth-policy broke',
  no_instance: 'no instance of auth-policy is there',
  unencodable: 'the question cannot be encoded',
};

/** A subscribe stream at the instance that holds it. */
export interface StreamLink {
  readonly instance: PolicyInstance;
  readonly id: number;
  close(): void;
}

/** A stream that is to be opened, unless nobody wants it any more when its turn comes. */
export interface OpeningStream extends StreamReceiver {
  readonly hasEnded: boolean;
}

/** While no instance is ready a question waits so long for one: enough for a restart to go by without errors. */
const MAX_WAIT_FOR_INSTANCE_MS = 1_000;

/**
 * The instances of auth-policy, as many as its addresses resolve to. A question goes to the ready one with the fewest in
 * flight and to no other: nothing is asked twice, since the backend may have acted already.
 */
export class PolicyPool {
  /** For questions from now on. */
  deadlineMs: number;
  readonly #options: PolicyPoolOptions;
  readonly #instances: Map<string, PolicyInstance> = new Map();
  /** Instances whose addresses are gone, while they answer what they were asked. */
  readonly #retiring: Set<PolicyInstance> = new Set();
  readonly #waiting: Set<() => void> = new Set();
  readonly #watch: AddressWatch;
  #inFlight = 0;
  #turn = 0;
  #isClosed = false;

  constructor(options: PolicyPoolOptions) {
    this.#options = options;
    this.deadlineMs = options.deadlineMs;
    this.#watch = new AddressWatch({ ...options, onAddresses: (addresses) => this.#setInstances(addresses) });
    this.#watch.start();
  }

  get isReady(): boolean {
    return this.#pick() !== undefined;
  }

  /** Never rejects; done within the deadline. */
  ask(question: PolicyQuestion): Promise<DecideReply | PolicyFailure> {
    return this.#counted(() =>
      this.#exchange((instance, deadlineMs, onOutcome) => void instance.ask(question, deadlineMs, onOutcome)),
    );
  }

  /** As `ask`. The link is given before anything comes through the stream. */
  openStream(
    question: PolicyQuestion,
    receiver: OpeningStream,
    onLink: (link: StreamLink) => void,
  ): Promise<DecideReply | PolicyFailure> {
    return this.#counted(() =>
      this.#exchange((instance, deadlineMs, onOutcome) => {
        if (receiver.hasEnded) {
          onOutcome('lost');
          return;
        }
        const id = instance.openStream(question, { deadlineMs, onOutcome, receiver });
        onLink({ instance, id, close: () => instance.closeStream(id) });
      }),
    );
  }

  /** A client's publication into its stream. Never rejects; done within the deadline. */
  askInStream({ instance, id }: StreamLink, data: Uint8Array): Promise<DecideReply | PolicyFailure> {
    const { deadlineMs } = this;
    const question = { streamPublish: { stream: id, data } };
    return this.#counted(() => new Promise((resolve) => void instance.ask(question, deadlineMs, resolve)));
  }

  close(): void {
    this.#isClosed = true;
    this.#watch.close();
    for (const instance of [...this.#instances.values(), ...this.#retiring]) instance.close();
    this.#retiring.clear();
    this.#wakeAll();
  }

  async #counted(exchange: () => Promise<DecideReply | PolicyFailure>): Promise<DecideReply | PolicyFailure> {
    const { maxInFlight, metrics } = this.#options;
    if (this.#inFlight >= maxInFlight) return this.#failed('overloaded');
    metrics.inFlight.set((this.#inFlight += 1));
    let outcome: DecideReply | PolicyFailure;
    try {
      outcome = await exchange();
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      outcome = 'unencodable';
    } finally {
      metrics.inFlight.set((this.#inFlight -= 1));
    }
    return typeof outcome === 'string' ? this.#failed(outcome) : outcome;
  }

  async #exchange(
    put: (instance: PolicyInstance, deadlineMs: number, onOutcome: OnOutcome) => void,
  ): Promise<DecideReply | PolicyFailure> {
    const { deadlineMs } = this;
    const ready = this.#isClosed ? undefined : this.#pick();
    if (ready !== undefined) return this.#put(ready, (onOutcome) => put(ready, deadlineMs, onOutcome));
    const startedAt = this.#options.clock.monotonic();
    if (!this.#isClosed) await this.#waitForInstance(Math.min(deadlineMs, MAX_WAIT_FOR_INSTANCE_MS));
    const instance = this.#isClosed ? undefined : this.#pick();
    if (instance === undefined) return 'no_instance';
    const remainingMs = deadlineMs - (this.#options.clock.monotonic() - startedAt);
    return this.#put(instance, (onOutcome) => put(instance, remainingMs, onOutcome));
  }

  #put(instance: PolicyInstance, put: (onOutcome: OnOutcome) => void): Promise<DecideReply | PolicyFailure> {
    instance.turn = this.#turn += 1;
    return new Promise((resolve) => put(resolve));
  }

  #waitForInstance(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        timer.cancel();
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = this.#options.clock.setTimer(waitMs, wake);
      this.#waiting.add(wake);
    });
  }

  #pick(): PolicyInstance | undefined {
    let best: PolicyInstance | undefined;
    for (const instance of this.#instances.values()) {
      if (instance.isReady && (best === undefined || order(instance, best) < 0)) best = instance;
    }
    return best;
  }

  #setInstances(addresses: ReadonlySet<string>): void {
    for (const [address, instance] of this.#instances) {
      if (addresses.has(address)) continue;
      this.#instances.delete(address);
      this.#retire(instance);
    }
    for (const address of addresses) {
      if (!this.#instances.has(address)) this.#instances.set(address, this.#open(address));
    }
    this.#onChange();
  }

  #open(address: string): PolicyInstance {
    return new PolicyInstance({
      ...this.#options,
      address,
      onChange: () => this.#onChange(),
      onLost: () => this.#watch.lookAgain(),
    });
  }

  #retire(instance: PolicyInstance): void {
    this.#options.log.info('an instance of auth-policy is gone from its name', { address: instance.address });
    this.#retiring.add(instance);
    instance.retire(() => void this.#retiring.delete(instance));
  }

  #onChange(): void {
    let ready = 0;
    for (const instance of this.#instances.values()) if (instance.isReady) ready += 1;
    this.#options.metrics.readyInstances.set(ready);
    if (ready > 0) this.#wakeAll();
  }

  #wakeAll(): void {
    for (const wake of this.#waiting) wake();
  }

  #failed(reason: PolicyFailure): PolicyFailure {
    this.#options.metrics.failure(reason).inc();
    return reason;
  }
}

/** Below zero: the left one is the better choice. Fewest in flight, then fewest streams, then whoever waited longest. */
function order(left: PolicyInstance, right: PolicyInstance): number {
  return left.inFlight - right.inFlight || left.numStreams - right.numStreams || left.turn - right.turn;
}

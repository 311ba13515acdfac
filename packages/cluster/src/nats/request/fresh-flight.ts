import { OperationalError, type Clock, type TimerHandle } from '@carillon/service-kit';

export interface FreshFlightDependencies {
  readonly clock: Clock;
  /** How long reads wait for those in flight, ms, before they leave all the same. Default 5. */
  readonly maxWaitMs?: number | undefined;
  /** Keys that wait; beyond it callers are refused at once. Default 65,536. */
  readonly maxWaiting?: number | undefined;
}

/** A read that has not been sent: whoever asks for its key may still share it. */
interface Waiting<V> {
  readonly load: () => Promise<V>;
  readonly answer: PromiseWithResolvers<V>;
}

const MAX_WAIT_MS = 5;
const MAX_WAITING = 65_536;

/**
 * Reads that come at the same time leave together: one at once, and those that come while it is in flight when it has
 * landed, each key once. A message by itself costs both sides several times what it costs among others. Nobody gets an
 * answer older than the question, since nobody shares a read that has left. Keeps nothing.
 */
export class FreshFlight<K, V> {
  readonly #clock: Clock;
  readonly #maxWaitMs: number;
  readonly #maxWaiting: number;
  #waiting: Map<K, Waiting<V>> = new Map();
  /** The newest trip, until one of its reads has landed or has taken too long. */
  #trip: object | undefined = undefined;
  #departure: TimerHandle | undefined = undefined;

  constructor({ clock, maxWaitMs = MAX_WAIT_MS, maxWaiting = MAX_WAITING }: FreshFlightDependencies) {
    this.#clock = clock;
    this.#maxWaitMs = maxWaitMs;
    this.#maxWaiting = maxWaiting;
  }

  run(key: K, load: () => Promise<V>): Promise<V> {
    if (this.#trip === undefined) return this.#send(load, this.#begin());
    const known = this.#waiting.get(key);
    if (known !== undefined) return known.answer.promise;
    if (this.#waiting.size >= this.#maxWaiting) {
      return Promise.reject(new OperationalError('nats_busy', `${this.#maxWaiting} reads are waiting already`));
    }
    const answer = Promise.withResolvers<V>();
    this.#waiting.set(key, { load, answer });
    // From the first that waits, not from the departure: a lone read needs no timer.
    this.#departure ??= this.#clock.setTimer(this.#maxWaitMs, () => this.#depart());
    return answer.promise;
  }

  #begin(): object {
    const trip = {};
    this.#trip = trip;
    return trip;
  }

  #send(load: () => Promise<V>, trip: object): Promise<V> {
    // Whatever it does, others wait for their turn.
    const begin = async (): Promise<V> => load();
    const answer = begin();
    const land = (): void => {
      if (this.#trip === trip) this.#depart();
    };
    answer.then(land, land);
    return answer;
  }

  #depart(): void {
    this.#departure?.cancel();
    this.#departure = undefined;
    this.#trip = undefined;
    if (this.#waiting.size === 0) return;
    const waiting = this.#waiting;
    this.#waiting = new Map();
    const trip = this.#begin();
    for (const { load, answer } of waiting.values()) answer.resolve(this.#send(load, trip));
  }
}

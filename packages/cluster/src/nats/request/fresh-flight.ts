interface Flight<V> {
  readonly current: Promise<V>;
  next: Promise<V> | undefined;
}

/**
 * Merges reads of a key that come at the same time without giving anybody an answer older than the question: who comes
 * while a read is in flight waits for the one after it, together with all others. Keeps nothing.
 */
export class FreshFlight<K, V> {
  readonly #flights: Map<K, Flight<V>> = new Map();

  run(key: K, load: () => Promise<V>): Promise<V> {
    const flight = this.#flights.get(key);
    if (flight === undefined) return this.#start(key, load);
    const again = (): Promise<V> => this.#start(key, load);
    flight.next ??= flight.current.then(again, again);
    return flight.next;
  }

  #start(key: K, load: () => Promise<V>): Promise<V> {
    const current = load();
    const flight: Flight<V> = { current, next: undefined };
    this.#flights.set(key, flight);
    const end = (): void => {
      // Whoever waited has started the next flight by then.
      if (this.#flights.get(key) === flight && flight.next === undefined) this.#flights.delete(key);
    };
    current.then(end, end);
    return current;
  }
}

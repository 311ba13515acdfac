/** Merges identical work in flight: while a load of a key is pending, everybody who asks gets its outcome. Keeps nothing. */
export class SingleFlight<K, V> {
  readonly #inFlight: Map<K, Promise<V>> = new Map();

  /** Keys that are being loaded. */
  get size(): number {
    return this.#inFlight.size;
  }

  /** The outcome of the load in flight for the key, or of a new one. A failure goes to all who wait and is not kept. */
  run(key: K, load: () => Promise<V>): Promise<V> {
    const pending = this.#inFlight.get(key);
    if (pending !== undefined) return pending;
    const begin = async (): Promise<V> => load();
    // The entry is set before it can be deleted: `finally` runs in a later microtask, whatever the load does.
    const flight = begin().finally(() => this.#inFlight.delete(key));
    this.#inFlight.set(key, flight);
    return flight;
  }
}

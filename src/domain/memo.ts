/** Remembers the results of a pure function, at most `max` of them: the one known longest is forgotten first. */
export class Memo<Key, Value> {
  readonly #max: number;
  readonly #compute: (key: Key) => Value;
  readonly #known = new Map<Key, Value>();

  constructor(max: number, compute: (key: Key) => Value) {
    this.#max = max;
    this.#compute = compute;
  }

  get(key: Key): Value {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const value = this.#compute(key);
    if (this.#known.size >= this.#max) this.#forgetOldest();
    this.#known.set(key, value);
    return value;
  }

  get size(): number {
    return this.#known.size;
  }

  #forgetOldest(): void {
    // Map keeps insertion order.
    for (const oldest of this.#known.keys()) {
      this.#known.delete(oldest);
      return;
    }
  }
}

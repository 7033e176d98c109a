/** A map of at most `max` entries: for one more, the one that was set longest ago leaves. */
export class BoundedMap<Key, Value> extends Map<Key, Value> {
  readonly #max: number;

  constructor(max: number) {
    super();
    this.#max = max;
  }

  override set(key: Key, value: Value): this {
    // Out first: what is set again is the newest.
    if (!this.delete(key) && this.size >= this.#max) this.#forgetOldest();
    return super.set(key, value);
  }

  #forgetOldest(): void {
    // Map keeps insertion order.
    for (const oldest of this.keys()) {
      this.delete(oldest);
      return;
    }
  }
}

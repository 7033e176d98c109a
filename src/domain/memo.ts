import { BoundedMap } from './bounded-map.ts';

/** Remembers the results of a pure function, at most `max` of them: the one known longest is forgotten first. */
export class Memo<Key, Value> {
  readonly #compute: (key: Key) => Value;
  readonly #known: BoundedMap<Key, Value>;

  constructor(max: number, compute: (key: Key) => Value) {
    this.#compute = compute;
    this.#known = new BoundedMap(max);
  }

  get(key: Key): Value {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const value = this.#compute(key);
    this.#known.set(key, value);
    return value;
  }

  get size(): number {
    return this.#known.size;
  }
}

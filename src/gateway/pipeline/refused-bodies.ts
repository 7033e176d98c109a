import { BoundedMap } from '../../domain/bounded-map.ts';
import type { Model, Route } from '../../domain/catalog.ts';
import type { LlmRequest, Provider } from '../../providers/provider.ts';
import type { KeyAccess } from './key-access.ts';

/** What the body of a call to a model says, by the configuration it was read with. */
export interface ReadCall {
  readonly parsed: unknown;
  /** The model that was asked for, by the name the caller used. */
  readonly asked: Model;
  readonly provider: Provider;
  readonly request: LlmRequest;
}

/** Where a body came, and whose it is. */
interface Came {
  readonly route: Route;
  readonly access: KeyAccess;
  readonly body: Buffer;
}

/** Keys whose last refused body is remembered. */
const KEYS_MAX = 1000;
/** What it says takes some times as much. */
const BODY_BYTES_MAX = 4096;

/**
 * What each key was last refused for. Whoever repeats a refused call, as clients that retry do, sends the same bytes: read
 * once, they need only be compared.
 */
export class RefusedBodies {
  readonly #last = new BoundedMap<KeyAccess, Came & ReadCall>(KEYS_MAX);

  get size(): number {
    return this.#last.size;
  }

  /** What this body says; undefined = the last that was refused to this key was another, or of another route. */
  find({ route, access, body }: Came): ReadCall | undefined {
    const known = this.#last.get(access);
    return known?.route === route && known.body.equals(body) ? known : undefined;
  }

  keep(call: Came & ReadCall): void {
    const { route, access, body, parsed, asked, provider, request } = call;
    if (body.length > BODY_BYTES_MAX || this.#last.get(access)?.parsed === parsed) return;
    // The bytes of a body may be part of many more that came with it.
    const copy = Buffer.from(body);
    this.#last.set(access, { route, access, body: copy, parsed, asked, provider, request });
  }
}

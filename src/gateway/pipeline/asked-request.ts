import type { InboundRequest, RawHeaders } from '../listener.ts';

/** A JSON body that was read before anything was decided. */
export interface ReadBody {
  readonly parsed: unknown;
  readonly bytes: number;
}

/** Where a request says what it wants: its headers, its query, and its body when somebody has to know it. */
export class AskedRequest {
  readonly #headers: RawHeaders;
  readonly #target: string;
  readonly #contentLength: number;
  readonly #body: ReadBody | undefined;
  #query: URLSearchParams | undefined = undefined;

  constructor(
    request: Pick<InboundRequest, 'headers' | 'target' | 'contentLength'>,
    body: ReadBody | undefined,
  ) {
    this.#headers = request.headers;
    this.#target = request.target;
    this.#contentLength = request.contentLength;
    this.#body = body;
  }

  /** Of every header with that name (lower case). */
  headerValues(name: string): readonly string[] {
    const values: string[] = [];
    for (let index = 0; index < this.#headers.length; index += 2) {
      const candidate = this.#headers[index] ?? '';
      if (candidate.length === name.length && candidate.toLowerCase() === name) {
        values.push(this.#headers[index + 1] ?? '');
      }
    }
    return values;
  }

  /** Decoded, of every parameter with that name: which of two an upstream believes nobody knows. */
  queryValues(name: string): readonly string[] {
    if (this.#query === undefined) {
      const start = this.#target.indexOf('?');
      this.#query = new URLSearchParams(start < 0 ? '' : this.#target.slice(start + 1));
    }
    return this.#query.getAll(name);
  }

  /** What a compiled JSON pointer finds; undefined = nothing. */
  bodyValue(pointer: readonly string[]): unknown {
    let value = this.#body?.parsed;
    for (const member of pointer) {
      // Arrays too have their elements as own members; inherited ones are nobody's data.
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, member)) {
        return undefined;
      }
      value = (value as Readonly<Record<string, unknown>>)[member];
    }
    return value;
  }

  /** Of the body; -1 = known only once it has passed. */
  get bodyBytes(): number {
    return this.#body?.bytes ?? this.#contentLength;
  }
}

/** RFC 6901: `/options/0/a~1b` to its members. */
export function compilePointer(pointer: string): readonly string[] {
  if (pointer === '') return [];
  return pointer
    .slice(1)
    .split('/')
    .map((member) => member.replaceAll('~1', '/').replaceAll('~0', '~'));
}

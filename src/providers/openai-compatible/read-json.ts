export type JsonRecord = Readonly<Record<string, unknown>>;

export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A list as unknown[], since Array.isArray makes `any[]` of it; anything else is the empty list. */
export function readList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The value, or undefined where the text is not JSON: what an upstream sends is not ours to assume. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const BYTE_ORDER_MARK = 0xfeff;

/** The same of a body. What may stand in front of it is not part of it, and every client drops it (RFC 8259 8.1). */
export function parseBody(body: Buffer): unknown {
  const text = body.toString('utf8');
  return parseJson(text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text);
}

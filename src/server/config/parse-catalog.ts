import type { Catalog, Plan } from '../../domain/catalog.ts';

/**
 * A catalogue as JSON, for the worker processes: bigints as `{"$bigint":"12"}`, maps as `{"$map":[[key, value]]}`.
 * Names from the file are never object keys in it (they are in maps and lists), so no tag can be mistaken.
 */
export function serializeCatalog(catalog: Catalog): string {
  return JSON.stringify(catalog, writeTagged);
}

export function serializeTerms(plan: Plan): string {
  return JSON.stringify(plan, writeTagged);
}

/** The catalogue that `serializeCatalog` wrote: it comes from our own supervisor and is not checked again. */
export function parseCatalog(text: string): Catalog {
  return readTagged(JSON.parse(text)) as Catalog;
}

function writeTagged(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return { $bigint: value.toString() };
  if (value instanceof Map) return { $map: [...value] };
  return value;
}

/** In place: with ten thousand routes the reviver of JSON.parse took three times as long, in each worker. */
function readTagged(value: unknown): unknown {
  if (!isTree(value)) return value;
  if ('$bigint' in value) return BigInt(String(value['$bigint']));
  if ('$map' in value) return new Map(readTagged(value['$map']) as [string, unknown][]);
  for (const key of Object.keys(value)) {
    const member = value[key];
    if (isTree(member)) value[key] = readTagged(member);
  }
  return value;
}

/** Lists too: their members are found by index as those of objects are by name. */
function isTree(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

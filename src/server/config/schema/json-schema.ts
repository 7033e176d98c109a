import { z } from 'zod';
import { isMapping } from '../config-path.ts';
import type { ConfigPath } from '../config-path.ts';
import { configSchema, DEFAULT_ASSET } from './config-schema.ts';

export type JsonSchema = Readonly<Record<string, unknown>>;

let jsonSchema: JsonSchema | undefined;

/** The file's schema for editors, made once. Draft 7 is what the YAML language servers read best. */
export function buildJsonSchema(): JsonSchema {
  jsonSchema ??= {
    ...z.toJSONSchema(configSchema(DEFAULT_ASSET), {
      io: 'input',
      target: 'draft-7',
      override: ({ jsonSchema: node, path }) => allowReference(node, path),
    }),
  };
  return jsonSchema;
}

/** What `interpolate` fills in before the value is judged: an editor sees the file as it was written. */
const REFERENCE: JsonSchema = { type: 'string', pattern: '\\$\\{|^file:' };

/** Every text of certain words or of a certain form may be a `${VARIABLE}`. Names of members may not. */
function allowReference(node: Record<string, unknown>, path: readonly (string | number)[]): void {
  const { enum: words, pattern, const: word } = node;
  const isBound = words !== undefined || pattern !== undefined || word !== undefined;
  if (node['type'] !== 'string' || !isBound || path.at(-1) === 'propertyNames') return;
  const text: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(node)) {
    if (key === 'description' || key === 'default') continue;
    text[key] = value;
    delete node[key];
  }
  node['anyOf'] = [text, REFERENCE];
}

/** The keys a mapping at `path` may have; empty when they are free names or it is no mapping. */
export function listKeysAt(schema: JsonSchema, path: ConfigPath): readonly string[] {
  let candidates: readonly JsonSchema[] = [schema];
  for (const part of path) candidates = candidates.flatMap((each) => stepInto(each, part));
  return candidates.flatMap(listAlternatives).flatMap((each) => {
    return isMapping(each['properties']) ? Object.keys(each['properties']) : [];
  });
}

/** `tree` with the defaults the schema gives for members that are not there. */
export function fillDefaults(schema: JsonSchema, tree: unknown): unknown {
  const value = tree === undefined ? schema['default'] : tree;
  if (!isMapping(value)) return value;
  const filled: Record<string, unknown> = { ...value };
  for (const alternative of listAlternatives(schema)) {
    const properties = alternative['properties'];
    if (!isMapping(properties)) continue;
    for (const [key, member] of Object.entries(properties)) {
      const result = isMapping(member) ? fillDefaults(member, filled[key]) : filled[key];
      if (result !== undefined) filled[key] = result;
    }
  }
  return filled;
}

function stepInto(schema: JsonSchema, part: string | number): readonly JsonSchema[] {
  return listAlternatives(schema).flatMap((each) => {
    if (typeof part === 'number') return isMapping(each['items']) ? [each['items']] : [];
    const properties = each['properties'];
    const member = isMapping(properties) ? properties[part] : undefined;
    const next = member ?? each['additionalProperties'];
    return isMapping(next) ? [next] : [];
  });
}

function listAlternatives(schema: JsonSchema): readonly JsonSchema[] {
  const alternatives = schema['anyOf'];
  if (!Array.isArray(alternatives)) return [schema];
  return alternatives.filter(isMapping).flatMap(listAlternatives);
}

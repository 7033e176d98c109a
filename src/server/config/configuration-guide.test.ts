import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { loadText } from '../../../test/support/check-config.ts';
import { formatProblem } from './config-problem.ts';
import { isMapping } from './config-path.ts';
import { buildJsonSchema } from './schema/json-schema.ts';

const GUIDE = new URL('../../../docs/guides/configuration.md', import.meta.url);
const blocks = [...readFileSync(GUIDE, 'utf8').matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(
  (match) => match[1] ?? '',
);
const page = blocks.map((block): unknown => parse(block)).reduce(merge, {});

/** Two examples of one section are two of its members. */
function merge(left: unknown, right: unknown): unknown {
  if (!isMapping(left) || !isMapping(right)) return right ?? left;
  const keys = [...new Set([...Object.keys(left), ...Object.keys(right)])];
  return Object.fromEntries(keys.map((key) => [key, merge(left[key], right[key])]));
}

interface Member {
  readonly name: string;
  readonly description: string;
  readonly shown: boolean;
}

/** Every member the schema has at these values, and whether one of them has it. */
function* listMembers(schema: unknown, values: readonly unknown[]): Generator<Member> {
  if (!isMapping(schema)) return;
  const { anyOf, items, additionalProperties, properties } = schema;
  for (const each of Array.isArray(anyOf) ? anyOf : []) yield* listMembers(each, values);
  yield* listMembers(items, values.filter(Array.isArray).flat());
  const mappings = values.filter(isMapping);
  yield* listMembers(additionalProperties, mappings.flatMap(Object.values));
  for (const [name, member] of Object.entries(isMapping(properties) ? properties : {})) {
    const found = mappings.flatMap((mapping) => (name in mapping ? [mapping[name]] : []));
    const description = isMapping(member) ? String(member['description']) : '';
    yield { name, description, shown: found.length > 0 };
    yield* listMembers(member, found);
  }
}

/** For JSON files; in YAML the first line says it. Certificates are files. */
const NOT_SHOWN = ['$schema', 'tls', 'cert', 'key'];

describe('docs/guides/configuration.md', () => {
  test('its examples together are a valid file, without a warning', () => {
    expect(blocks.length).toBeGreaterThan(10);
    expect(loadText(stringify(page)).warnings.map(formatProblem)).toEqual([]);
  });

  test('shows every member of the schema', () => {
    const members = [...listMembers(buildJsonSchema(), [page])];
    const shown = new Set(members.filter((each) => each.shown).map((each) => each.description));
    const missing = members.filter(
      ({ name, description }) => !shown.has(description) && !NOT_SHOWN.includes(name),
    );
    expect(members.length).toBeGreaterThan(100);
    expect(missing.map(({ name, description }) => `${name}: ${description}`)).toEqual([]);
  });
});

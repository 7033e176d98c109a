import { z } from 'zod';
import type { Condition, Parameter, Requirement } from '../../../domain/catalog.ts';
import { ok, wrong } from '../human-units.ts';
import {
  byteSize,
  flag,
  headerName,
  listOf,
  neededName,
  report,
  textAs,
  wholeNumber,
} from './parts.ts';

const CONDITIONS_MAX = 8;
const REQUIREMENTS_MAX = 16;
const PARAMETERS_MAX = 64;
const VALUE_LENGTH_MAX = 256;

/** RFC 6901; the whole body ("") is no member. */
const jsonPointer = textAs((text) => {
  if (/^(\/([^~/]|~[01])*)+$/.test(text) && text.length <= VALUE_LENGTH_MAX) return ok(text);
  const example = /^[a-z_]{1,64}$/i.test(text) ? `/${text}` : '/messages/0/role';
  return wrong(`expected a JSON pointer such as "${example}", got "${text}"`);
});
const queryName = textAs((text) =>
  text.length > 0 && text.length <= VALUE_LENGTH_MAX && !/[&=?#\s]/.test(text)
    ? ok(text)
    : wrong(`expected the name of a query parameter such as "render_js", got "${text}"`),
);

const wantedValue = z.union([z.string().max(VALUE_LENGTH_MAX), z.number(), z.boolean()], {
  error: 'expected text, a number, true or false',
});

/** `render_js`: it is there. `{ render_js: true }`: it has that value. */
function wanted(name: z.ZodType<string, string>, example: string) {
  return z.union([name, z.record(name, wantedValue)], {
    error: `expected a name such as "${example}", or { ${example}: value }`,
  });
}

type Wanted = string | Readonly<Record<string, string | number | boolean>>;

const when = z
  .strictObject({
    header: wanted(headerName, 'x-mode').optional().describe('Of the request: { x-mode: fast }'),
    query: wanted(queryName, 'render_js').optional().describe('Of the URL: { render_js: true }'),
    body: wanted(jsonPointer, '/extract')
      .optional()
      .describe('Of a JSON body, by JSON pointer: { /extract: ai }'),
    body_above: byteSize({ min: 0, max: Number.MAX_SAFE_INTEGER })
      .optional()
      .describe('A body of more bytes than this: "1 MB"'),
  })
  .transform((written, context): readonly Condition[] => {
    const conditions: readonly Condition[] = [
      ...listWanted('header', written.header),
      ...listWanted('query', written.query),
      ...listWanted('body', written.body),
      ...(written.body_above === undefined
        ? []
        : [{ kind: 'body-bytes' as const, above: written.body_above }]),
    ];
    if (conditions.length > 0 && conditions.length <= CONDITIONS_MAX) return conditions;
    report(context, [], `must have 1 to ${CONDITIONS_MAX} conditions`);
    return z.NEVER;
  });

function listWanted(
  kind: 'header' | 'query' | 'body',
  written: Wanted | undefined,
): readonly Condition[] {
  if (written === undefined) return [];
  if (typeof written === 'string') return [{ kind, name: written, equals: undefined }];
  return Object.entries(written).map(([name, value]) => ({ kind, name, equals: String(value) }));
}

const requirement = z
  .strictObject({
    feature: neededName
      .optional()
      .describe('A feature that the plan or an add-on must include: js_rendering'),
    purchase: neededName
      .optional()
      .describe('Something bought once: course-7, or course-{course} with a group of path_regex.'),
    when: when.optional().describe('What the call must ask for, all of it; default: every call.'),
  })
  .transform((written, context): Requirement => {
    const { feature, purchase, when: conditions = [] } = written;
    const id = feature ?? purchase;
    if (id !== undefined && (feature === undefined || purchase === undefined)) {
      return { kind: feature === undefined ? 'purchase' : 'feature', id, when: conditions };
    }
    report(context, [], 'needs exactly one of "feature" and "purchase"');
    return z.NEVER;
  });

/** What a call needs of the plan or a purchase, by what it asks for (GW-19). */
export const requirements = listOf(requirement, REQUIREMENTS_MAX);

const TYPES = ['string', 'number', 'integer', 'boolean', 'array', 'object'] as const;

const parameter = z
  .strictObject({
    in: z.enum(['query', 'header', 'body']).describe('Where it is looked for.'),
    name: z.string().describe('In a body its JSON pointer: /messages'),
    type: z.enum(TYPES).prefault('string').describe('What it must be.'),
    required: flag.prefault(true).describe('Whether a call without it is refused.'),
  })
  .transform((written, context): Parameter => {
    const name = PARAMETER_NAMES[written.in].safeParse(written.name);
    if (!name.success) {
      report(context, ['name'], name.error.issues[0]?.message ?? 'is not a name');
      return z.NEVER;
    }
    if (written.in !== 'body' && (written.type === 'array' || written.type === 'object')) {
      report(context, ['type'], `"${written.type}" can only be in a body`);
    }
    return { ...written, name: name.data };
  });

const PARAMETER_NAMES = { query: queryName, header: headerName, body: jsonPointer } as const;

/** What must be there before anything is counted (GW-15). */
export const parameters = listOf(parameter, PARAMETERS_MAX);

export const compute = z.strictObject({
  units: wholeNumber({ min: 1, max: 1_000_000_000 }).describe(
    'Held for each call: the most it can take.',
  ),
  used_header: headerName
    .optional()
    .describe("Header of the upstream's answer that says how many were used; default: all."),
});

/** Whether the body has to be read before the call is decided: then it must have a bound. */
export function readsBody(needed: readonly Requirement[], checked: readonly Parameter[]): boolean {
  return (
    checked.some((each) => each.in === 'body') ||
    needed.some((each) => each.when.some(({ kind }) => kind === 'body'))
  );
}

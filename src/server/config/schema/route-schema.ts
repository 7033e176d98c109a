import { z } from 'zod';
import type { Requirement, Route } from '../../../domain/catalog.ts';
import type { Price } from '../../../domain/pricing.ts';
import { ok, wrong } from '../human-units.ts';
import type { Parsed } from '../human-units.ts';
import {
  byteSize,
  durability,
  duration,
  headerEdits,
  headerName,
  headerValue,
  idName,
  neededName,
  textAs,
} from './parts.ts';
import { routePrice } from './price-schema.ts';
import { compute, parameters, requirements } from './request-schema.ts';

/** Long enough for any route, short enough that compiling and matching stay cheap. */
export const REGEX_LENGTH_MAX = 512;

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

const wait = duration({ min: '1ms', max: '1h' });

export const timeouts = z.strictObject({
  connect: wait.optional().describe('To open a connection; default 5s.'),
  headers: wait
    .optional()
    .describe("From the request's last byte to the answer's head; default 60s."),
  idle: wait.optional().describe("Longest silence inside an answer's body; default 60s."),
});

export const bodyMax = z
  .union([z.literal('unlimited'), byteSize({ min: 0, max: Number.MAX_SAFE_INTEGER })], {
    error: 'expected a size such as "1MB" or "64KiB", or "unlimited"',
  })
  .describe('Largest request body; LLM default 10MiB, else unlimited and never buffered.');

const regexText = textAs(compileCheck);
const pathRegex = textAs((text) => {
  // Without the anchor a pattern for /cheap would also set the price of /dear/cheap.
  return text.startsWith('^')
    ? compileCheck(text)
    : wrong(`must start with "^", the start of the path, got "${text}"`);
});

function compileCheck(text: string): Parsed<string> {
  if (text.length > REGEX_LENGTH_MAX) return wrong(`is longer than ${REGEX_LENGTH_MAX} characters`);
  try {
    new RegExp(text);
    return ok(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return wrong(`is not a regular expression: ${reason}`);
  }
}

const PATH_LENGTH_MAX = 1024;
const routePath = textAs((text) => {
  if (text.length > PATH_LENGTH_MAX) return wrong(`is longer than ${PATH_LENGTH_MAX} characters`);
  if (!text.startsWith('/')) return wrong(`must start with "/", got "${text}"`);
  if (/[?#]/.test(text))
    return wrong(`is compared without the query: leave out everything from "?" on`);
  if (/[%\\\p{Cc}]/u.test(text))
    return wrong('is compared decoded: write the characters themselves, without "%" or "\\"');
  if (/\/\//.test(text))
    return wrong('must not contain "//": repeated slashes are merged before matching');
  if (/\/\.{1,2}(\/|$)/.test(text))
    return wrong('must not contain "." or ".." segments: they never match');
  return ok(text);
});

const rewrite = z
  .strictObject({
    strip_prefix: routePath.optional().describe('Taken off the front of the path.'),
    pattern: regexText.optional().describe('What to replace in the path.'),
    with: z.string().max(1024).optional().describe('What to put there; $1 is the first group.'),
  })
  .superRefine((value, context) => {
    const replaces = value.pattern !== undefined && value.with !== undefined;
    const strips =
      value.strip_prefix !== undefined && value.pattern === undefined && value.with === undefined;
    if (strips || (replaces && value.strip_prefix === undefined)) return;
    context.addIssue({
      code: 'custom',
      message: 'needs either "strip_prefix", or "pattern" and "with"',
    });
  });

export const dialect = z.enum(['plain', 'openai', 'anthropic', 'gemini', 'jsonrpc']);

export interface Mistake {
  readonly path: (string | number)[];
  readonly message: string;
}

export function routeSchema(asset: string) {
  return z
    .strictObject({
      name: idName.optional().describe('For logs and metrics; default: made from method and path.'),
      path: routePath.optional().describe('Exactly this path.'),
      path_prefix: routePath.optional().describe('This path and everything below it.'),
      path_regex: pathRegex
        .optional()
        .describe('Tried after exact paths and prefixes, in the order of the file.'),
      methods: z
        .array(z.enum(METHODS))
        .min(1)
        .max(METHODS.length)
        .optional()
        .describe('Default: any method.'),
      headers: z
        .record(headerName, headerValue)
        .prefault({})
        .describe('Headers that must be there with exactly this value.'),
      upstream: idName.optional().describe('A name under "upstreams"; default: the API\'s.'),
      price: routePrice(asset).optional(),
      class: z
        .enum(['free', 'metered', 'premium'])
        .prefault('metered')
        .describe('free: needs no key and is never refused for money.'),
      durability: durability.optional().describe("Default: the API's."),
      feature: neededName.optional().describe('Short for requires: [{ feature: ... }].'),
      requires: requirements.describe(
        'What the plan or a purchase must include, by what is asked.',
      ),
      operation: idName
        .optional()
        .describe('What limits count the call as; default: the id of the route.'),
      compute: compute.optional().describe('Units the call takes of limits on compute_units.'),
      role: idName.optional().describe('Role the key must have: 403 otherwise.'),
      parameters: parameters.describe('Checked before anything is counted: 400 otherwise.'),
      degraded: z
        .enum(['allow', 'refuse', 'by-method'])
        .prefault('by-method')
        .describe('While a payment is pending; by-method: GET and HEAD are still served.'),
      end_user_header: headerName.optional().describe("Names the end user; default: the API's."),
      rewrite: rewrite.optional().describe('How the path looks to the upstream.'),
      timeouts: timeouts.prefault({}).describe("Default: the API's."),
      body_max: bodyMax.optional(),
      request_headers: headerEdits.describe('Edits on the way to the upstream.'),
      response_headers: headerEdits.describe('Edits on the way back.'),
      dialect: dialect.optional().describe("The shape of error bodies; default: the API's."),
    })
    .superRefine((route, context) => {
      for (const { path, message } of [...pathMistakes(route), ...freeMistakes(route)]) {
        context.addIssue({ code: 'custom', path, message });
      }
    });
}

interface PathMembers {
  readonly path?: string | undefined;
  readonly path_prefix?: string | undefined;
  readonly path_regex?: string | undefined;
}

function pathMistakes(route: PathMembers): Mistake[] {
  const paths = [route.path, route.path_prefix, route.path_regex];
  if (paths.filter((path) => path !== undefined).length === 1) return [];
  return [{ path: [], message: 'needs exactly one of "path", "path_prefix" and "path_regex"' }];
}

interface FreeMembers {
  readonly class: Route['endpointClass'];
  readonly price?: Price | undefined;
  readonly feature?: string | undefined;
  readonly requires: readonly Requirement[];
  readonly role?: string | undefined;
}

/** Nobody is asked for a key on a free route: what needs one has no effect there. */
function freeMistakes(route: FreeMembers): Mistake[] {
  if (route.class !== 'free') return [];
  const mistakes: Mistake[] = [];
  if (route.price !== undefined && costsSomething(route.price)) {
    const message =
      'a route of class free is never charged: leave the price out or change the class';
    mistakes.push({ path: ['price'], message });
  }
  for (const member of ['feature', 'requires', 'role'] as const) {
    const value = route[member];
    if (value === undefined || value.length === 0) continue;
    const message = `a route of class free needs no key and no plan: leave the ${member} out or change the class`;
    mistakes.push({ path: [member], message });
  }
  return mistakes;
}

function costsSomething(price: Price): boolean {
  return price.perRequest + price.perByteIn + price.perByteOut > 0n;
}

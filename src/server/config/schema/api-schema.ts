import { z } from 'zod';
import type { Price } from '../../../domain/pricing.ts';
import { ok, wrong } from '../human-units.ts';
import type { Parsed } from '../human-units.ts';
import {
  byteSize,
  duration,
  headerEdits,
  headerName,
  headerValue,
  hostPattern,
  idName,
  origin,
  textAs,
} from './parts.ts';
import { routePrice } from './price-schema.ts';

/** Long enough for any route, short enough that compiling and matching stay cheap. */
export const REGEX_LENGTH_MAX = 512;

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

const wait = duration({ min: '1ms', max: '1h' });

const timeouts = z.strictObject({
  connect: wait.optional().describe('To open a connection; default 5s.'),
  headers: wait
    .optional()
    .describe("From the request's last byte to the answer's head; default 60s."),
  idle: wait.optional().describe("Longest silence inside an answer's body; default 60s."),
});

const bodyMax = z
  .union([z.literal('unlimited'), byteSize({ min: 0, max: Number.MAX_SAFE_INTEGER })], {
    error: 'expected a size such as "1MB" or "64KiB", or "unlimited"',
  })
  .describe('Largest request body; LLM default 10MiB, else unlimited and never buffered.');

const cors = z
  .strictObject({
    origins: z
      .array(z.union([z.literal('*'), origin]))
      .min(1)
      .max(256)
      .describe('Pages that may call from a browser: exact origins, or "*".'),
    credentials: z
      .boolean()
      .prefault(false)
      .describe('Whether cookies and the like may be sent along.'),
    max_age: duration({ min: '0s', max: '1d' })
      .prefault('10m')
      .describe('How long a browser may remember the pre-flight answer.'),
  })
  .superRefine((value, context) => {
    if (!value.credentials || !value.origins.includes('*')) return;
    const message = 'cannot be true for origin "*": browsers refuse it; list the origins';
    context.addIssue({ code: 'custom', path: ['credentials'], message });
  });

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

export function routeSchema(asset: string) {
  return z
    .strictObject({
      name: idName.optional().describe('For logs and metrics; default: made from method and path.'),
      path: routePath.optional().describe('Exactly this path.'),
      path_prefix: routePath.optional().describe('This path and everything below it.'),
      path_regex: pathRegex
        .optional()
        .describe('Tried after exact paths and prefixes, in the order of the file.'),
      methods: z.array(z.enum(METHODS)).min(1).optional().describe('Default: any method.'),
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
      feature: idName.optional().describe('Feature the plan must include.'),
      rewrite: rewrite.optional().describe('How the path looks to the upstream.'),
      timeouts: timeouts.prefault({}).describe("Default: the API's."),
      body_max: bodyMax.optional(),
      request_headers: headerEdits.describe('Edits on the way to the upstream.'),
      response_headers: headerEdits.describe('Edits on the way back.'),
      dialect: z.enum(['plain', 'openai']).prefault('plain').describe('The shape of error bodies.'),
    })
    .superRefine((route, context) => {
      const paths = [route.path, route.path_prefix, route.path_regex].filter(
        (path) => path !== undefined,
      );
      if (paths.length !== 1) {
        const message = 'needs exactly one of "path", "path_prefix" and "path_regex"';
        context.addIssue({ code: 'custom', message });
      }
      if (route.class !== 'free') return;
      if (route.price !== undefined && costsSomething(route.price)) {
        const message =
          'a route of class free is never charged: leave the price out or change the class';
        context.addIssue({ code: 'custom', path: ['price'], message });
      }
      if (route.feature === undefined) return;
      const message =
        'a route of class free needs no key and no plan: leave the feature out or change the class';
      context.addIssue({ code: 'custom', path: ['feature'], message });
    });
}

function costsSomething(price: Price): boolean {
  return price.perRequest + price.perByteIn + price.perByteOut > 0n;
}

const ONLY_PROXY = ['upstream', 'routes'] as const;

export function apiSchema(asset: string) {
  return z
    .strictObject({
      type: z
        .enum(['proxy', 'llm'])
        .prefault('proxy')
        .describe('proxy: your own routes. llm: the OpenAI endpoints, answered by "models".'),
      hosts: z
        .array(hostPattern)
        .max(64)
        .prefault([])
        .describe('Host names it answers on; default: any.'),
      upstream: idName.optional().describe('A name under "upstreams", for routes that name none.'),
      routes: z
        .array(routeSchema(asset))
        .min(1)
        .max(10_000)
        .optional()
        .describe('Which requests it takes, and what each costs.'),
      cors: cors.optional().describe('Which web pages may call it from a browser; default: none.'),
      timeouts: timeouts.prefault({}).describe('For routes that set none.'),
      body_max: bodyMax.optional(),
    })
    .superRefine((api, context) => {
      for (const { path, message } of api.type === 'llm' ? llmMistakes(api) : proxyMistakes(api)) {
        context.addIssue({ code: 'custom', path, message });
      }
    });
}

interface ApiMembers {
  readonly upstream?: string | undefined;
  readonly routes?: readonly { readonly upstream?: string | undefined }[] | undefined;
  readonly body_max?: number | 'unlimited' | undefined;
}
interface Mistake {
  readonly path: (string | number)[];
  readonly message: string;
}

function llmMistakes(api: ApiMembers): Mistake[] {
  const mistakes: Mistake[] = ONLY_PROXY.filter((key) => api[key] !== undefined).map((key) => ({
    path: [key],
    message: `belongs to "type: proxy": an llm API has its own routes, and its models name the provider`,
  }));
  if (api.body_max === 'unlimited') {
    const message = 'cannot be unlimited for an llm API: its bodies are read whole to be priced';
    mistakes.push({ path: ['body_max'], message });
  }
  return mistakes;
}

function proxyMistakes(api: ApiMembers): Mistake[] {
  if (api.routes === undefined) return [{ path: [], message: 'needs "routes", or "type: llm"' }];
  if (api.upstream !== undefined) return [];
  return api.routes.flatMap((route, index) =>
    route.upstream === undefined
      ? [{ path: ['routes', index], message: 'needs an "upstream", here or on the API' }]
      : [],
  );
}

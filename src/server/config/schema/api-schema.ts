import { z } from 'zod';
import type { Parameter, Requirement } from '../../../domain/catalog.ts';
import {
  addressRange,
  durability,
  duration,
  flag,
  headerName,
  hostPattern,
  idName,
  listOf,
  moment,
  origin,
  wholeNumber,
} from './parts.ts';
import { enforcement } from './plan-schema.ts';
import { readsBody, requirements } from './request-schema.ts';
import { bodyMax, dialect, routeSchema, timeouts } from './route-schema.ts';
import type { Mistake } from './route-schema.ts';

const cors = z
  .strictObject({
    origins: z
      .array(
        z.union([z.literal('*'), origin], {
          error: 'expected "*" or an origin such as "https://app.example.com"',
        }),
      )
      .min(1)
      .max(256)
      .describe('Pages that may call from a browser: exact origins, or "*".'),
    credentials: flag.prefault(false).describe('Whether cookies and the like may be sent along.'),
    max_age: duration({ min: '0s', max: '1d' })
      .prefault('10m')
      .describe('How long a browser may remember the pre-flight answer.'),
  })
  .superRefine((value, context) => {
    if (!value.credentials || !value.origins.includes('*')) return;
    const message = 'cannot be true for origin "*": browsers refuse it; list the origins';
    context.addIssue({ code: 'custom', path: ['credentials'], message });
  });

const addresses = listOf(addressRange, 1024);

const anonymous = z.strictObject({
  requests: wholeNumber({ min: 1, max: 1_000_000_000 }).describe(
    'Calls of one subnet (IPv4 /24, IPv6 /64) before it is told a price.',
  ),
  per: z.enum(['second', 'minute', 'hour', 'day', 'week', 'month']).describe('The window.'),
});

const retired = z.strictObject({
  at: moment.describe('The day or time (UTC) from which every call of it is a 410.'),
  successor: z
    .string()
    .min(1)
    .max(300)
    .optional()
    .describe('What replaces it, as callers are told: a path, a name.'),
});

const ONLY_PROXY = ['upstream', 'routes'] as const;

export function apiSchema(asset: string) {
  return z
    .strictObject({
      type: z
        .enum(['proxy', 'llm'])
        .prefault('proxy')
        .describe('proxy: your own routes. llm: the OpenAI endpoints, answered by "models".'),
      hosts: listOf(hostPattern, 64).describe('Host names it answers on; default: any.'),
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
      enforcement: enforcement
        .optional()
        .describe('observe: what would be refused is recorded, and passes (EVID-01).'),
      durability: durability
        .optional()
        .describe('What a charge outlives before its answer leaves, for routes that say nothing.'),
      anonymous: anonymous
        .optional()
        .describe('Free calls of who has no key, a subnet; default: every caller needs one.'),
      allow_addresses: addresses.describe('Who may call: addresses or ranges; default: all.'),
      deny_addresses: addresses.describe('Who may not call, though allowed: 403 whatever is paid.'),
      environment: z
        .enum(['live', 'test'])
        .optional()
        .describe('Whose keys it takes: live or test; default: both.'),
      dialect: dialect
        .optional()
        .describe('The shape of error bodies; default: openai for an llm API, else by the path.'),
      requires: requirements.describe('What each of its routes needs that is not free.'),
      role: idName.optional().describe('Role the key must have, for routes that name none.'),
      retired: retired.optional().describe('When it ends. Until then its answers say so: Sunset.'),
      end_user_header: headerName
        .prefault('x-end-user-id')
        .describe('Request header that names the end user, whom limits may count.'),
    })
    .superRefine((api, context) => {
      for (const { path, message } of api.type === 'llm' ? llmMistakes(api) : proxyMistakes(api)) {
        context.addIssue({ code: 'custom', path, message });
      }
    });
}

interface RouteMembers {
  readonly upstream?: string | undefined;
  readonly body_max?: number | 'unlimited' | undefined;
  readonly requires: readonly Requirement[];
  readonly parameters: readonly Parameter[];
}
interface ApiMembers {
  readonly upstream?: string | undefined;
  readonly routes?: readonly RouteMembers[] | undefined;
  readonly body_max?: number | 'unlimited' | undefined;
  readonly requires: readonly Requirement[];
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
  return api.routes.flatMap((route, index) => [
    ...upstreamMistakes(api, route, index),
    ...bodyMistakes(api, route, index),
  ]);
}

function upstreamMistakes(api: ApiMembers, route: RouteMembers, index: number): Mistake[] {
  if (api.upstream !== undefined || route.upstream !== undefined) return [];
  return [{ path: ['routes', index], message: 'needs an "upstream", here or on the API' }];
}

function bodyMistakes(api: ApiMembers, route: RouteMembers, index: number): Mistake[] {
  if ((route.body_max ?? api.body_max) !== 'unlimited') return [];
  if (!readsBody([...api.requires, ...route.requires], route.parameters)) return [];
  const path =
    route.body_max === undefined ? ['body_max'] : (['routes', index, 'body_max'] as const);
  const message = `cannot be unlimited: "requires" and "parameters" of routes[${index}] read the body`;
  return [{ path: [...path], message }];
}

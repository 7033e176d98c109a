import type { Hono } from 'hono';
import { z } from 'zod';

import { CODES } from '../../contract/codes.ts';
import { decide, type Decision } from '../../domain/decide.ts';
import type { Facts } from '../../domain/facts.ts';
import { formatMoney } from '../../domain/money.ts';
import { finalCode, findOffers, offersOnSale, soldAs } from '../../domain/offers.ts';
import { billedAtMost } from '../../domain/overage.ts';
import { parseJson } from '../parse-json.ts';
import { refuse, refuseCaller, sendJson } from './answers.ts';
import { tryPurchases } from './try-purchases.ts';
import { describeUnitPrices } from './unit-prices.ts';
import type { PublicContext, PublicDeps, PublicEnv, Rehearsal } from './public-deps.ts';

const OFFERS_MAX = 16;
const HEADERS_MAX = 64;
const CHAT_PATH = '/v1/chat/completions';
/** A question is asked with the key it is about; the connection is its own. */
const HEADERS_OF_ITS_OWN = new Set([
  'authorization',
  'x-api-key',
  'x-goog-api-key',
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
]);

const headerName = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/, {
  error: 'is no header name',
});
const requestSchema = z.strictObject({
  method: z
    .string()
    .regex(/^[A-Z]{1,16}$/, { error: 'must be a method such as POST' })
    .default('POST'),
  path: z
    .string()
    .max(8192)
    .regex(/^\/[\x21-\x7e]*$/, { error: 'must begin with "/"' })
    .default(CHAT_PATH),
  headers: z
    .record(
      headerName,
      z
        .string()
        .max(8192)
        .regex(/^[\t\x20-\x7e\x80-\xff]*$/),
    )
    .default({})
    .refine((headers) => Object.keys(headers).length <= HEADERS_MAX, {
      error: `takes at most ${HEADERS_MAX} headers`,
    })
    .refine((headers) => !Object.keys(headers).some(isOfItsOwn), {
      error: 'leave the key, the host and the length out: they are those of this request itself',
    }),
  /** JSON of any kind, or the exact text of a body. */
  body: z.unknown().optional(),
  after: z
    .array(z.strictObject({ kind: z.enum(['plan', 'pack', 'add_on']), id: z.string().max(128) }))
    .max(OFFERS_MAX)
    .refine((bought) => bought.filter(({ kind }) => kind === 'plan').length <= 1, {
      error: 'names several plans: an account is on one at a time',
    })
    .default([]),
});
type Asked = z.infer<typeof requestSchema>;

/** Would this request pass, and what would it cost: both without sending it (DIAG-10, DISC-07). */
export function mountRehearsals(app: Hono<PublicEnv>, deps: PublicDeps): void {
  app.post('/v1/check', (context) => rehearse(context, deps, 'check'));
  app.post('/v1/quote', (context) => rehearse(context, deps, 'quote'));
}

async function rehearse(
  context: PublicContext,
  deps: PublicDeps,
  mode: 'check' | 'quote',
): Promise<Response> {
  const identity = await deps.identify(context.req.raw.headers);
  if (identity.kind === 'refused')
    return refuseCaller(context, deps, identity, { dialect: 'openai' });
  const parsed = parseAsked(await context.req.text());
  if (parsed.kind === 'wrong') {
    return refuse(context, deps, {
      code: 'INVALID_REQUEST',
      details: { reason: parsed.problem, pointer: parsed.pointer },
      dialect: 'openai',
    });
  }
  const { asked } = parsed;
  const rehearsal = await deps.rehearse(toRequest(context, asked), mode);
  return mode === 'check'
    ? sendCheck(context, deps, asked, rehearsal)
    : sendQuote(context, deps, rehearsal);
}

type ParsedAsked =
  | { readonly kind: 'asked'; readonly asked: Asked }
  | { readonly kind: 'wrong'; readonly problem: string; readonly pointer: string };

function parseAsked(text: string): ParsedAsked {
  const parsed = parseJson(text);
  if (parsed.kind === 'wrong') return { kind: 'wrong', problem: parsed.reason, pointer: '' };
  const { value: given } = parsed;
  const result = requestSchema.safeParse(isChatBody(given) ? { body: given } : given);
  if (result.success) return { kind: 'asked', asked: result.data };
  const [issue] = result.error.issues;
  const pointer = (issue?.path ?? []).map((part) => `/${String(part)}`).join('');
  return { kind: 'wrong', problem: issue?.message ?? 'is not understood', pointer };
}

/** Somebody may ask about a chat by sending that very body. */
function isChatBody(given: unknown): boolean {
  return typeof given === 'object' && given !== null && 'model' in given && !('path' in given);
}

function isOfItsOwn(name: string): boolean {
  return HEADERS_OF_ITS_OWN.has(name.toLowerCase());
}

function toRequest(context: PublicContext, { method, path, headers, body }: Asked) {
  const list = Object.entries(headers).flat();
  for (const name of HEADERS_OF_ITS_OWN) {
    const value = context.req.header(name);
    if (value !== undefined && name !== 'content-length') list.push(name, value);
  }
  if (body !== undefined && !Object.keys(headers).some((name) => /^content-type$/i.test(name))) {
    list.push('content-type', 'application/json');
  }
  // `env` is undefined when the app is called without bindings.
  const env = context.env as PublicEnv['Bindings'] | undefined;
  const remoteAddress = env?.remoteAddress ?? '127.0.0.1';
  const requestId = context.get('requestId');
  return { method, target: path, headers: list, body: toBytes(body), remoteAddress, requestId };
}

function toBytes(body: unknown): Buffer {
  if (body === undefined) return Buffer.alloc(0);
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}

async function sendCheck(
  context: PublicContext,
  deps: PublicDeps,
  { after }: Asked,
  { facts, decision, holdNano, costIsOpen, refusal }: Rehearsal,
): Promise<Response> {
  const catalog = deps.catalog();
  return sendJson(context, {
    ...viewDecision(decision, facts, deps),
    cost_max: costIsOpen ? null : formatMoney({ asset: catalog.asset, units: BigInt(holdNano) }),
    answer: refusal === undefined ? null : parseAnswer(refusal.body),
    after: after.length === 0 ? null : await viewAfter(after, facts, deps),
  });
}

/** The same request with everything in `after` bought before it. */
async function viewAfter(after: Asked['after'], facts: Facts, deps: PublicDeps): Promise<object> {
  const catalog = deps.catalog();
  const onSale = offersOnSale(facts, catalog);
  const offers = after.map((wanted) => ({
    wanted,
    offer: onSale.find((offer) => offer.kind === wanted.kind && soldAs(offer).id === wanted.id),
  }));
  const missing = offers.find(({ offer }) => offer === undefined);
  if (missing !== undefined) {
    const { kind, id } = missing.wanted;
    return { allowed: null, problem: `${kind} ${id} is not on sale to this account` };
  }
  const bought = offers.flatMap(({ offer }) => (offer === undefined ? [] : [offer]));
  const then = await tryPurchases(deps, facts, bought);
  return viewDecision(decide(then), then, deps);
}

function viewDecision(decision: Decision, facts: Facts, deps: PublicDeps) {
  if (decision.kind === 'admit') return { allowed: true, status: 200, code: null, step: null };
  const code = finalCode(decision, findOffers(facts, decision, deps.catalog()));
  return { allowed: false, status: CODES[code].status, code, step: decision.step };
}

/** Ours is JSON; a route may answer in another form. */
function parseAnswer(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}

/** An answer that is priced by its bytes costs more than what is set aside before it comes. */
const COVERED =
  'The answer up to its first 1,048,576 bytes. It is priced by its length: what is longer costs more, by the unit prices.';

/** In the form and with the headers that the request itself would get: Retry-After, Link, the limits. */
function sendRefusal({ status, headers, body }: NonNullable<Rehearsal['refusal']>): Response {
  const list = new Headers();
  for (let index = 0; index + 1 < headers.length; index += 2) {
    list.append(headers[index] ?? '', headers[index + 1] ?? '');
  }
  return new Response(body, { status, headers: list });
}

function sendQuote(
  context: PublicContext,
  deps: PublicDeps,
  { facts, holdNano, costIsOpen, refusal }: Rehearsal,
): Response {
  if (refusal !== undefined) {
    return sendRefusal(refusal);
  }
  const catalog = deps.catalog();
  const { asset } = catalog;
  const beyondNano = billedAtMost(facts.limits);
  const money = (nano: number): string => formatMoney({ asset, units: BigInt(nano) });
  return sendJson(context, {
    amount: money(holdNano + beyondNano),
    currency: asset,
    price: money(holdNano),
    // Billed only when an allowance is used up by then.
    overage_max: money(beyondNano),
    units: facts.limits
      .filter(({ kind }) => kind === 'quota')
      .map(({ label, unit, need }) => ({ limit_id: label?.id ?? null, unit, max: need })),
    model: facts.entitlements.find(({ kind }) => kind === 'model')?.id ?? null,
    ...(costIsOpen
      ? { guarantee: null, covers: COVERED, unit_prices: describeUnitPrices(facts, catalog) }
      : { guarantee: 'Sending this request costs at most this amount.' }),
    catalog_version: facts.catalogVersion,
  });
}

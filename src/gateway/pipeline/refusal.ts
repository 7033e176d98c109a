import type { RetryKind } from '../../contract/code-row.ts';
import { type Code, CODES } from '../../contract/codes.ts';
import { customiseProblem } from '../../contract/customisation.ts';
import { renderProblem } from '../../contract/dialects.ts';
import { buildProblemHeaders, buildRateLimitHeaders } from '../../contract/headers.ts';
import { chooseLanguage } from '../../contract/languages.ts';
import type {
  PaymentTerms,
  ProblemDocument,
  ProblemInput,
} from '../../contract/problem-document.ts';
import { chooseForm } from '../../contract/problem-form.ts';
import { buildProblem } from '../../contract/problem.ts';
import { neededOf, type Refusal } from '../../domain/decide.ts';
import type { Facts } from '../../domain/facts.ts';
import { finalCode, findOffers } from '../../domain/offers.ts';
import { buildStandingHeaders, formatNano, readRateLimits } from './answer-headers.ts';
import type { GatewayContext } from './context.ts';
import type { Exchange } from './exchange.ts';
import { readHeader } from './outgoing.ts';
import { omitUndefined } from './refusal-description.ts';
import { describeRefusal } from './refusal-details.ts';
import type { AskedAs, RefusedCall, WrittenRefusal } from './refusal-memory.ts';

/** A refusal ready to leave. */
export interface PreparedRefusal {
  readonly code: Code;
  readonly status: number;
  readonly headers: string[];
  /** More of them, as `InboundResponse.writeHead` has it. */
  readonly shared: readonly string[];
  readonly body: Buffer;
}

/** Turns a decision into the answer its reader asks for: dialect, form and language (DESIGN 4, C402-10, C402-27). */
export function prepareRefusal(
  context: GatewayContext,
  exchange: Exchange,
  facts: Facts,
  refusal: Refusal,
): PreparedRefusal {
  const { requestId, access } = exchange;
  const { refusals } = exchange.compiled;
  const call = { access, facts, refusal, asked: askedAs(context, exchange) };
  const explainUrl = context.links.explainLink(requestId);
  // Without a link it reads otherwise than what is remembered.
  const ids = explainUrl === undefined ? undefined : { requestId, explainUrl };
  let written = ids && refusals.recall(call, ids);
  if (written === undefined) {
    written = writeRefusal(context, exchange, call, explainUrl);
    if (ids !== undefined) refusals.keep(call, ids, written);
  }
  const { code, status, shared, body, retryAfterSeconds } = written;
  const readings = readRateLimits(exchange, context.engine);
  const own: string[] = [];
  for (const name of written.idHeaders) own.push(name, requestId);
  const headers = own.concat(
    buildRateLimitHeaders(readings, context.clock.now(), retryAfterSeconds),
    buildStandingHeaders(exchange),
  );
  const { clientRequestId } = exchange;
  if (clientRequestId !== undefined) headers.push('X-Client-Request-Id', clientRequestId);
  // What is still unread of a body would have to be read to its end before the connection is of use again.
  if (!exchange.bodyStarted && exchange.request.contentLength !== 0) {
    headers.push('Connection', 'close');
  }
  return { code, status, headers, shared, body };
}

/** What a refusal says, for a reader who has the head of an answer already. */
export function composeRefusal(
  context: GatewayContext,
  exchange: Exchange,
  facts: Facts,
  refusal: Refusal,
): ProblemDocument {
  const { requestId, access } = exchange;
  const call = { access, facts, refusal, asked: askedAs(context, exchange) };
  return compose(context, exchange, call, context.links.explainLink(requestId));
}

/** In the provider's own words where it has some. */
function compose(
  context: GatewayContext,
  exchange: Exchange,
  call: RefusedCall,
  explainUrl: string | undefined,
): ProblemDocument {
  const problem = buildProblem(describe(context, exchange, call, explainUrl));
  return customiseProblem(problem, exchange.compiled.customisations, {
    api: call.facts.route?.apiId,
    tenant: exchange.access?.tenant.id,
  });
}

function askedAs(context: GatewayContext, { dialect, request, jsonRpcId }: Exchange): AskedAs {
  return {
    form: chooseForm(dialect, readHeader(request.headers, 'accept')),
    language: chooseLanguage(readHeader(request.headers, 'accept-language')),
    publicUrl: context.publicUrl(),
    jsonRpcId,
  };
}

function writeRefusal(
  context: GatewayContext,
  exchange: Exchange,
  call: RefusedCall,
  explainUrl: string | undefined,
): WrittenRefusal {
  const { form, jsonRpcId } = call.asked;
  const document = compose(context, exchange, call, explainUrl);
  const { contentType, body } = renderProblem(document, form, { id: jsonRpcId });
  const payment = document.status === 402 ? { paymentUrl: document.resolution_url } : {};
  const headers = buildProblemHeaders(document, { form, contentType, ...payment });
  return {
    code: document.code,
    status: document.status,
    ...splitHeaders(headers, exchange.requestId),
    retryAfterSeconds: document.retry.retry_after_seconds,
    body: Buffer.from(body),
  };
}

/** Those that have the id of the call, which is another each time, and the rest. */
function splitHeaders(
  list: readonly string[],
  requestId: string,
): Pick<WrittenRefusal, 'idHeaders' | 'shared'> {
  const [idHeaders, shared]: [string[], string[]] = [[], []];
  for (let index = 0; index < list.length; index += 2) {
    const [name = '', value = ''] = [list[index], list[index + 1]];
    if (value === requestId) idHeaders.push(name);
    else shared.push(name, value);
  }
  return { idHeaders, shared };
}

function describe(
  context: GatewayContext,
  exchange: Exchange,
  { facts, refusal, asked }: RefusedCall,
  explainUrl: string | undefined,
): ProblemInput {
  const { catalog } = exchange.compiled;
  const { identity } = facts;
  const offers = findOffers(facts, refusal, catalog);
  const code = finalCode(refusal, offers);
  const cause = facts.storm?.cause ?? code;
  const payUrl =
    identity.kind === 'key' && CODES[cause].financial
      ? context.links.payLink(identity.tenantId, cause)
      : undefined;
  const { retryAfterMs } = refusal;
  return Object.assign(
    {
      code,
      requestId: exchange.requestId,
      baseUrl: asked.publicUrl,
      details: describeRefusal({ context, exchange, facts, refusal, offers, code, payUrl }),
      language: asked.language,
    },
    omitUndefined({
      resolutionUrl: payUrl,
      // Signed for callers without a key too: nobody else could ever read why theirs was refused.
      explainUrl,
      resetsAt: resetOf(refusal),
      retryAfterSeconds: retryAfterMs && Math.max(1, Math.ceil(retryAfterMs / 1000)),
      retryKind: retryKindOf(refusal),
      payment: findPayment(exchange, facts, { refusal, code }),
    }),
  );
}

/**
 * When waiting has lifted it, ISO: a window that opens again, or a rate that was bought and has room again. The next
 * whole second, which is what people are told: whoever calls then is not too early.
 */
function resetOf({ resetsAt }: Refusal): string | undefined {
  if (resetsAt === undefined) return undefined;
  return new Date(Math.ceil(resetsAt / 1000) * 1000).toISOString();
}

/** Where it is not the code's own. */
function retryKindOf({ transient, neverFits }: Refusal): RetryKind | undefined {
  if (transient) return 'transient';
  return neverFits ? 'never_until_action' : undefined;
}

/** What going on costs: the credit that is missing, or one call of who has no account (QUOTA-15). */
function findPayment(
  exchange: Exchange,
  facts: Facts,
  { refusal, code }: { readonly refusal: Refusal; readonly code: Code },
): PaymentTerms | undefined {
  const { catalog, routes } = exchange.compiled;
  const { limit } = refusal;
  if (code === 'INSUFFICIENT_CREDITS' && limit !== undefined) {
    const needed = formatNano(neededOf(limit, facts));
    return { amount: `${needed} ${catalog.asset}`, methods: ['credits'] };
  }
  const isAnonymous = exchange.identity.kind === 'anonymous' && CODES[code].financial;
  const compiled = exchange.route && routes.get(exchange.route);
  if (!isAnonymous || compiled === undefined || compiled.requestNano === 0) return undefined;
  return {
    amount: `${formatNano(compiled.requestNano)} ${catalog.asset}`,
    methods: ['credits'],
  };
}

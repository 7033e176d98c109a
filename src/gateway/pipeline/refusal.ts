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

/** A refusal ready to leave. */
export interface PreparedRefusal {
  readonly code: Code;
  readonly status: number;
  readonly headers: string[];
  readonly body: string;
  readonly document: ProblemDocument;
}

/** Turns a decision into the answer its reader asks for: dialect, form and language (DESIGN 4, C402-10, C402-27). */
export function prepareRefusal(
  context: GatewayContext,
  exchange: Exchange,
  facts: Facts,
  refusal: Refusal,
): PreparedRefusal {
  const document = customiseProblem(
    buildProblem(describe(context, exchange, facts, refusal)),
    context.compiled().customisations,
    { api: facts.route?.apiId, tenant: exchange.access?.tenant.id },
  );
  const form = chooseForm(exchange.dialect, readHeader(exchange.request.headers, 'accept'));
  const rendered = renderProblem(document, form, { id: exchange.jsonRpcId });
  const payment = document.status === 402 ? { paymentUrl: document.resolution_url } : {};
  const headers = [
    ...buildProblemHeaders(document, { form, contentType: rendered.contentType, ...payment }),
    ...buildRateLimitHeaders(
      readRateLimits(exchange, context.engine),
      context.clock.now(),
      document.retry.retry_after_seconds,
    ),
    ...buildStandingHeaders(exchange),
  ];
  // What is still unread of a body would have to be read to its end before the connection is of use again.
  if (!exchange.bodyStarted && exchange.request.contentLength !== 0) {
    headers.push('Connection', 'close');
  }
  return { code: document.code, status: document.status, headers, body: rendered.body, document };
}

function describe(
  context: GatewayContext,
  exchange: Exchange,
  facts: Facts,
  refusal: Refusal,
): ProblemInput {
  const { catalog } = context.compiled();
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
      baseUrl: context.publicUrl(),
      details: describeRefusal({ context, exchange, facts, refusal, offers, code, payUrl }),
      language: chooseLanguage(readHeader(exchange.request.headers, 'accept-language')),
    },
    omitUndefined({
      resolutionUrl: payUrl,
      // Signed for callers without a key too: nobody else could ever read why theirs was refused.
      explainUrl: context.links.explainLink(exchange.requestId),
      resetsAt: findReset(exchange, refusal),
      retryAfterSeconds: retryAfterMs && Math.max(1, Math.ceil(retryAfterMs / 1000)),
      retryKind: refusal.transient ? ('transient' as const) : undefined,
      payment: findPayment(context, exchange, facts, { refusal, code }),
    }),
  );
}

/** When waiting has lifted it, ISO: a window that opens again, or a rate that was bought and has room again. */
function findReset({ at }: Exchange, { code, limit, retryAfterMs }: Refusal): string | undefined {
  const isRate = code === 'RATE_CAPACITY_EXCEEDED' && retryAfterMs !== undefined;
  const resetsAt = isRate ? at + retryAfterMs : limit?.resetsAt;
  return resetsAt === undefined ? undefined : new Date(resetsAt).toISOString();
}

/** What going on costs: the credit that is missing, or one call of who has no account (QUOTA-15). */
function findPayment(
  context: GatewayContext,
  exchange: Exchange,
  facts: Facts,
  { refusal, code }: { readonly refusal: Refusal; readonly code: Code },
): PaymentTerms | undefined {
  const { catalog, routes } = context.compiled();
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

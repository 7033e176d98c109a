import type { Api, Catalog, Parameter, PathMatch, Route } from '../../../domain/catalog.ts';
import { formatDecimal, formatMoney } from '../../../domain/money.ts';
import type { Price } from '../../../domain/pricing.ts';

/** One route of a published API as documents show it. */
export interface PublishedRoute {
  readonly api: Api;
  readonly route: Route;
  readonly methods: readonly string[];
  /** OpenAPI form: `/courses/{id}`, `/files/{path}`. */
  readonly path: string;
  readonly pathParameters: readonly string[];
  /** What one call costs, in words; one line per unit. */
  readonly prices: readonly string[];
  /** A model to show calls with; empty when none is sold. */
  readonly model: string;
}

const ANY_METHOD = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** Every route that is callable, in the order of the configuration. */
export function publishedRoutes(catalog: Catalog): readonly PublishedRoute[] {
  const model = [...catalog.models.keys()][0] ?? '';
  return catalog.apis.flatMap((api) =>
    api.routes.map((route) => {
      const { path, pathParameters } = templateOf(route.match.path);
      const { methods } = route.match;
      const listed = methods.length === 0 ? ANY_METHOD : methods;
      const prices = pricesOf(route);
      return { api, route, methods: listed, path, pathParameters, prices, model };
    }),
  );
}

/** A path as a template: a prefix ends in `{path}`, named groups of an expression become parameters. */
export function templateOf(match: PathMatch): { path: string; pathParameters: readonly string[] } {
  if (match.kind === 'exact') return { path: match.value, pathParameters: [] };
  if (match.kind === 'prefix') {
    const slash = match.value.endsWith('/') ? '' : '/';
    return { path: `${match.value}${slash}{path}`, pathParameters: ['path'] };
  }
  const pathParameters: string[] = [];
  const path = match.value
    .replace(/^\^/, '')
    .replace(/\$$/, '')
    .replace(/\(\?<([A-Za-z_]\w*)>[^()]*\)/g, (_group, name: string) => {
      pathParameters.push(name);
      return `{${name}}`;
    })
    .replaceAll('\\', '');
  return { path: path.startsWith('/') ? path : `/${path}`, pathParameters };
}

/** Of a parameter whose JSON pointer leads to a member of the body itself (RFC 6901). */
export function memberName({ name }: Parameter): string {
  return name.slice(1).replaceAll('~1', '/').replaceAll('~0', '~');
}

function pricesOf({ price, endpointClass, kind }: Route): readonly string[] {
  if (endpointClass === 'free') return ['free'];
  if (kind === 'chat' || kind === 'embeddings') return ['by the tokens of the model'];
  const lines = describePrice(price);
  return lines.length === 0 ? ['counted by the plan, no price of its own'] : lines;
}

const TOKENS = 1_000_000n;
/** Prices of bytes are told by the gigabyte. */
export const BYTES = 1_000_000_000n;
const PICO_PER_NANO = 1000n;

/** `0.0010 USD a call`, `2.00 USD per 1M input tokens`. */
export function describePrice(price: Price): readonly string[] {
  const lines: string[] = [];
  const add = (pico: bigint, per: bigint, what: string): void => {
    if (pico === 0n) return;
    lines.push(`${formatPico(pico * per, price.asset)} ${what}`);
  };
  add(price.perRequest, 1n, 'a call');
  add(price.perInputToken, TOKENS, 'per 1M input tokens');
  add(price.perCachedInputToken, TOKENS, 'per 1M cached input tokens');
  add(price.perOutputToken, TOKENS, 'per 1M output tokens');
  add(price.perByteIn, BYTES, 'per GB sent');
  add(price.perByteOut, BYTES, 'per GB received');
  return lines;
}

export function formatPico(pico: bigint, asset: string): string {
  if (pico % PICO_PER_NANO === 0n) return formatMoney({ asset, units: pico / PICO_PER_NANO });
  return `${formatDecimal(pico, 12, 4)} ${asset}`;
}

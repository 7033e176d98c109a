import type { Catalog, Model } from '../../../domain/catalog.ts';
import { formatMoney } from '../../../domain/money.ts';
import { describePrice, type PublishedRoute, publishedRoutes } from './published-routes.ts';

/** `/llms.txt` (DOC-06): what an agent needs to call, pay and stop, in the form of llmstxt.org. */
export function buildLlmsText(catalog: Catalog, publicUrl: string): string {
  return [
    '# APIs behind this gateway',
    '',
    '> Metered APIs and models. Send a key as `Authorization: Bearer KEY`. A 402 means money is missing: stop, read `code`, `details.upgrade_options` and `resolution_url`, pay, then call again. Repeating a 402 unpaid never helps.',
    '',
    '## How to call',
    '',
    `- [Machine-readable description](${publicUrl}/openapi.json): OpenAPI 3.1 with prices`,
    `- Ask the price first: POST ${publicUrl}/v1/quote with {"method", "path", "body"}`,
    `- Ask whether it would pass: POST ${publicUrl}/v1/check with the same, and "after": [{"kind", "id"}]`,
    `- Balance and limits: GET ${publicUrl}/v1/usage`,
    `- Why an answer was given: GET ${publicUrl}/r/{X-Request-Id}`,
    '- 429 means wait as long as Retry-After says; 503 means retry later; 401 and 403 no payment changes',
    '',
    ...section('Routes', publishedRoutes(catalog).map(describeRoute)),
    ...section('Models', [...catalog.models.values()].map(describeModel)),
    ...section('Plans', plansOf(catalog)),
    ...section('Credit and extras', extrasOf(catalog)),
    '## Errors',
    '',
    `- [Every code, its cause and its fix](${publicUrl}/errors)`,
    '',
  ].join('\n');
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [`## ${title}`, '', ...lines.map((line) => `- ${line}`), ''];
}

function describeRoute({ methods, path, prices }: PublishedRoute): string {
  return `${methods.join('|')} ${path}: ${prices.join(', ')}`;
}

function describeModel({ id, contextWindow, price }: Model): string {
  return `${id}: ${describePrice(price).join(', ') || 'free'}; context window ${contextWindow} tokens`;
}

function plansOf({ plans, asset }: Catalog): readonly string[] {
  return [...plans.values()]
    .filter(({ onSale }) => onSale)
    .map(({ id, title, priceNano }) => {
      const price = priceNano === 0n ? 'free' : `${formatMoney({ asset, units: priceNano })}/month`;
      return `${title} (plan ${id}): ${price}`;
    });
}

function extrasOf({ packs, addOns, asset }: Catalog): readonly string[] {
  const money = (units: bigint): string => formatMoney({ asset, units });
  return [
    ...packs.map(
      ({ id, title, priceNano, creditNano }) =>
        `${title} (pack ${id}): ${money(creditNano)} of credit for ${money(priceNano)}`,
    ),
    ...addOns.map(
      ({ id, title, priceNano, interval }) =>
        `${title} (add_on ${id}): ${money(priceNano)}${interval === 'month' ? '/month' : ''}`,
    ),
  ];
}

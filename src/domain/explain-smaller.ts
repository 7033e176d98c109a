import type { Catalog, Condition, Route } from './catalog.ts';
import type { Fix, Refused } from './explain-fixes.ts';
import { planOfCaller } from './explain-plan.ts';
import { formatBytes, formatNumber, unitsFree } from './explain-words.ts';
import type { EntitlementFact, Facts } from './facts.ts';
import { formatMoney } from './money.ts';
import { costOf } from './pricing.ts';

const MODELS_NAMED_MAX = 3;

/** What the caller can ask for instead, that passes without paying anything: a smaller call first, then another model. */
export function explainSmaller(refused: Refused): readonly Fix[] {
  return [
    ...tokenFixes(refused),
    ...entitlementFixes(refused),
    ...includedModels(refused),
    ...cheaperModels(refused),
  ];
}

function tokenFixes({ facts: { reservation } }: Refused): readonly Fix[] {
  const tokens = reservation?.kind === 'short' ? reservation.affordableOutputTokens : undefined;
  if (tokens === undefined || tokens <= 0) return [];
  return [fix('lower_max_tokens', `Lower max_tokens to ${formatNumber(tokens)} or less.`)];
}

function entitlementFixes({ refusal, facts, catalog }: Refused): readonly Fix[] {
  const { entitlement } = refusal;
  if (entitlement?.kind === 'context') {
    return sizeFix(entitlement, 'Shorten the call to %s tokens or less.', formatNumber);
  }
  if (entitlement?.kind === 'file_size') {
    return sizeFix(entitlement, 'Send %s or less.', formatBytes);
  }
  return entitlement?.kind === 'feature' ? conditionFixes(entitlement, facts, catalog) : [];
}

function sizeFix(
  { allowed }: EntitlementFact,
  template: string,
  format: (units: number) => string,
): readonly Fix[] {
  if (allowed === undefined || allowed <= 0) return [];
  return [fix('smaller_request', template.replace('%s', format(allowed)))];
}

/** What of the request asked for the feature: without it the feature is not needed (GW-19). */
function conditionFixes({ id }: EntitlementFact, facts: Facts, catalog: Catalog): readonly Fix[] {
  const conditions = findRoute(facts, catalog)
    ?.requires.filter((requirement) => requirement.kind === 'feature' && requirement.id === id)
    .flatMap(({ when }) => when.slice(0, 1));
  const [condition] = conditions ?? [];
  if (condition === undefined) return [];
  return [fix('smaller_request', `Send it without ${describeCondition(condition)}.`)];
}

function describeCondition(condition: Condition): string {
  if (condition.kind === 'body-bytes') return `more than ${formatBytes(condition.above)} of body`;
  const { name, equals, kind } = condition;
  const value = equals === undefined ? '' : ` = ${equals}`;
  return `${PLACES[kind]} ${name}${value}`;
}

const PLACES = { header: 'header', query: 'query parameter', body: 'body member' } as const;

function includedModels({ refusal, facts, catalog }: Refused): readonly Fix[] {
  if (refusal.entitlement?.kind !== 'model') return [];
  const named = modelsOfPlan(facts, catalog).slice(0, MODELS_NAMED_MAX).join(', ');
  return named === '' ? [] : [fix('use_another_model', `Use a model of your plan: ${named}.`)];
}

/** A model of the plan for which the same call fits the balance. */
function cheaperModels({ refusal, facts, catalog }: Refused): readonly Fix[] {
  const { limit } = refusal;
  const { take, outcome, reservation } = facts;
  if (limit?.kind !== 'balance' || take === undefined || outcome?.model === undefined) return [];
  const free = unitsFree(limit, reservation?.kind === 'short' ? reservation.held : 0);
  const usage = { ...take, cachedInputTokens: 0, estimated: true };
  const fitting = modelsOfPlan(facts, catalog)
    .filter((id) => id !== outcome.model)
    .flatMap((id) => {
      const model = catalog.models.get(id);
      return model === undefined ? [] : [{ id, nano: costOf(model.price, usage) }];
    })
    .filter(({ nano }) => nano <= BigInt(free))
    .toSorted((left, right) => (left.nano < right.nano ? -1 : 1));
  const [cheapest] = fitting;
  if (cheapest === undefined) return [];
  const cost = formatMoney({ asset: catalog.asset, units: cheapest.nano });
  return [
    fix(
      'use_another_model',
      `Use the model ${cheapest.id}: there this call costs ${cost} at most.`,
    ),
  ];
}

/** With what was bought beside the plan. */
function modelsOfPlan(facts: Facts, catalog: Catalog): readonly string[] {
  const { models = [] } = planOfCaller(facts, catalog) ?? {};
  return [...catalog.models.keys()].filter((id) => models.includes('*') || models.includes(id));
}

function findRoute({ route }: Facts, catalog: Catalog): Route | undefined {
  const api = catalog.apis.find(({ id }) => id === route?.apiId);
  return api?.routes.find(({ id }) => id === route?.routeId);
}

function fix(action: Fix['action'], text: string): Fix {
  return { action, text, offer: undefined, payable: false };
}

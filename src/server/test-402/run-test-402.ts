import type { Api, Catalog, Plan, Route } from '../../domain/catalog.ts';
import { effectivePlan } from '../../domain/effective-plan.ts';
import { grantsEntitlement } from '../../domain/offers.ts';
import { PLAIN_TERMS } from '../../domain/tenant-terms.ts';
import type { LoadedConfig } from '../config/loaded-config.ts';
import { alwaysRequired, sampleRequest, type SampleRequest } from './sample-request.ts';
import { type Scenario, SCENARIOS } from './scenarios.ts';
import { TrialGateway, type Verdict } from './trial-gateway.ts';

/** One line of the table. */
export interface TrialResult {
  readonly api: string;
  readonly route: string;
  readonly plan: string;
  readonly scenario: string;
  readonly expected: string;
  readonly answered: string;
  readonly ok: boolean;
  /** What is wrong, in words. */
  readonly problem: string;
}

export interface TrialOptions {
  /** Undefined = every API. */
  readonly api: string | undefined;
  /** A path for routes whose regular expression says none. */
  readonly path: string | undefined;
}

/** Tries the provider's own configuration against the scenarios of C402-24, without calling an upstream. */
export async function runTest402(
  config: LoadedConfig,
  options: TrialOptions,
): Promise<readonly TrialResult[]> {
  const gateway = await TrialGateway.start(config);
  try {
    const results: TrialResult[] = [];
    for (const trial of trialsOf(config.catalog, options)) {
      // oxlint-disable-next-line no-await-in-loop -- one customer after the other, as the table is read
      results.push(await tryScenario(gateway, config.catalog, trial));
    }
    return results;
  } finally {
    await gateway.stop();
  }
}

interface Trial {
  readonly api: Api;
  readonly route: Route;
  readonly plan: Plan;
  readonly scenario: Scenario;
  readonly sample: SampleRequest;
}

/** Of each API its first route that takes money, on the first plan that may call it. */
function trialsOf(catalog: Catalog, { api: only, path }: TrialOptions): readonly Trial[] {
  return catalog.apis
    .filter(
      ({ id, enforcement }) => enforcement === 'enforce' && (only === undefined || id === only),
    )
    .flatMap((api) => {
      const found = findRoute(catalog, api, path);
      return found === undefined
        ? []
        : SCENARIOS.filter((scenario) => applies(scenario, found.plan, found.route)).map(
            (scenario) => ({ api, scenario, ...found }),
          );
    });
}

function findRoute(
  catalog: Catalog,
  api: Api,
  path: string | undefined,
): Pick<Trial, 'route' | 'plan' | 'sample'> | undefined {
  for (const route of api.routes) {
    if (route.endpointClass === 'free' || route.kind === 'models') continue;
    const sample = sampleRequest(catalog, api, route, path);
    const plan = [...catalog.plans.values()].find((each) => mayCall(catalog, each, route));
    if (sample !== undefined && plan !== undefined) return { route, plan, sample };
  }
  return undefined;
}

/** Whether the plan includes what every call of the route needs, and refuses at all. */
function mayCall(catalog: Catalog, plan: Plan, route: Route): boolean {
  if (plan.enforcement === 'observe') return false;
  const effective = effectivePlan(plan, PLAIN_TERMS, catalog.addOns, 0);
  const model = [...catalog.models.keys()][0] ?? '';
  const needsModel = route.kind === 'chat' || route.kind === 'embeddings';
  return (
    alwaysRequired(route).every((requirement) => grantsEntitlement(effective, requirement)) &&
    (!needsModel || grantsEntitlement(effective, { kind: 'model', id: model }))
  );
}

function applies(scenario: Scenario, plan: Plan, route: Route): boolean {
  const { price, kind } = route;
  const priced = kind !== 'proxy' || price.perRequest + price.perByteIn + price.perByteOut > 0n;
  return scenario.appliesTo?.(plan, priced) ?? true;
}

async function tryScenario(
  gateway: TrialGateway,
  catalog: Catalog,
  trial: Trial,
): Promise<TrialResult> {
  const { api, route, plan, scenario, sample } = trial;
  const key = await gateway.prepare(scenario, plan, catalog.asset);
  const verdict = await gateway.ask(sample, key);
  const expected = scenario.expected(plan);
  const problem = judge(verdict, expected, plan);
  return {
    api: api.id,
    route: route.id,
    plan: plan.id,
    scenario: scenario.name,
    expected: expected.length === 0 ? 'served' : expected.slice(0, 2).join(' or '),
    answered: verdict.code ?? 'served',
    ok: problem === '',
    problem,
  };
}

/** Empty = as it should be. */
function judge(verdict: Verdict, expected: readonly string[], plan: Plan): string {
  const { code, status, answer } = verdict;
  if (expected.length === 0) return code === null ? '' : `refused with ${status} ${code}`;
  if (code === null) {
    // A degraded profile goes on serving what it leaves.
    return plan.degraded === undefined ? 'served, though it should be refused' : '';
  }
  if (!expected.includes(code)) return `refused with ${status} ${code}`;
  return judgeBody(answer, code, status);
}

const MESSAGE_LENGTH_LEAST = 20;

/** What every refusal owes its reader (C402-02..05). */
function judgeBody(answer: unknown, code: string, status: number): string {
  if (typeof answer !== 'object' || answer === null) return 'the body is no JSON object';
  const body = answer as Readonly<Record<string, unknown>>;
  if (body['code'] !== code) return 'the body names another code';
  const { message } = body;
  if (typeof message !== 'string' || message.length < MESSAGE_LENGTH_LEAST) {
    return 'the message does not say what to do';
  }
  const link = body['resolution_url'];
  if (status === 402 && (typeof link !== 'string' || !message.includes(link))) {
    return 'the message lacks the link to the page that resolves it';
  }
  return '';
}

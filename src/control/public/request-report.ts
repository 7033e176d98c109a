import { isCode } from '../../contract/codes.ts';
import { type CheckSource, type CheckStep, explainChecklist } from '../../domain/checklist.ts';
import { explainGuide, type GuideStep } from '../../domain/checklist-guide.ts';
import { explainLimitRows, type LimitRow } from '../../domain/checklist-limits.ts';
import { explain, type ExplainView } from '../../domain/explain.ts';
import { findProvider } from '../../providers/provider-directory.ts';
import { checkNowOf, type CurrentState, readCurrentState } from './current-state.ts';
import { probeItem, readProbes, type StoredProbe } from './probe-store.ts';
import type { PublicDeps } from './public-deps.ts';
import type { ReadableRequest } from './read-request.ts';
import { signPayLink } from './signed-links.ts';
import { utcMinute } from './time-words.ts';

/** Everything that is told about one request, as a page, as JSON and as a file for support. */
export interface RequestReport {
  readonly request: ReadableRequest;
  readonly view: ExplainView;
  readonly checklist: readonly CheckStep[];
  readonly limits: readonly LimitRow[];
  readonly guide: readonly GuideStep[];
  readonly probes: readonly StoredProbe[];
  readonly state: CurrentState;
  readonly links: ReportLinks;
  /** Ledger asset of its amounts. */
  readonly asset: string;
}

/** Where the explanation leads on to. Absolute, for programs; pages use the paths below. */
export interface ReportLinks {
  readonly payUrl: string | undefined;
  readonly documentationUrl: string | undefined;
  /** `/r/{id}`, `/r/{id}/bundle` ...: with the signature they were opened with. */
  readonly self: string;
  readonly bundle: string;
  readonly guide: string;
  readonly probe: string;
}

export async function readReport(
  deps: PublicDeps,
  request: ReadableRequest,
): Promise<RequestReport> {
  const { facts, tenantId, id } = request;
  const catalog = deps.catalog();
  const state = await readCurrentState(deps, facts, tenantId);
  const probes = await readProbes(deps, id);
  const view = explain(facts, { catalog, formatTime: utcMinute });
  const source: CheckSource = {
    facts,
    view,
    catalog,
    now: checkNowOf(state),
    provider: findProvider(facts.forwarding?.upstream?.provider ?? facts.outcome?.target ?? ''),
    probes: probes.map(probeItem),
    formatTime: utcMinute,
  };
  return {
    request,
    view,
    checklist: explainChecklist(source),
    limits: explainLimitRows({
      view,
      asset: catalog.asset,
      accounts: state.account?.accounts,
      at: state.at,
    }),
    guide: explainGuide(source),
    probes,
    state,
    links: linksOf(deps, request, view.code ?? view.wouldRefuse),
    asset: catalog.asset,
  };
}

function linksOf(
  deps: PublicDeps,
  { tenantId, id, query }: ReadableRequest,
  code: string | undefined,
): ReportLinks {
  const baseUrl = deps.publicUrl();
  const known = code !== undefined && isCode(code) ? code : undefined;
  const paid = known !== undefined && tenantId !== '';
  return {
    payUrl: paid
      ? `${baseUrl}/pay/${signPayLink({ tenantId, cause: known }, deps.signingSecret)}`
      : undefined,
    documentationUrl: known === undefined ? undefined : `${baseUrl}/errors/${known}`,
    self: `/r/${id}${query}`,
    bundle: `/r/${id}/bundle${query}`,
    guide: `/r/${id}/guide${query}`,
    probe: `/r/${id}/probe${query}`,
  };
}

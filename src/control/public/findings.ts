import { type CheckSource, type CheckStep, explainChecklist } from '../../domain/checklist.ts';
import { explainGuide, type GuideStep } from '../../domain/checklist-guide.ts';
import { explainLimitRows, type LimitRow } from '../../domain/checklist-limits.ts';
import { explain, type ExplainView } from '../../domain/explain.ts';
import type { Facts } from '../../domain/facts.ts';
import { findProvider } from '../../providers/provider-directory.ts';
import {
  checkNowOf,
  type CurrentState,
  readCurrentState,
  type StateDeps,
} from './current-state.ts';
import { probeItem, readProbes, type StoredProbe } from './probe-store.ts';
import { utcMinute } from './time-words.ts';

/** Everything that is found out about one request, for whoever may read it: its owner, and the operator. */
export interface Findings {
  readonly view: ExplainView;
  readonly checklist: readonly CheckStep[];
  readonly limits: readonly LimitRow[];
  readonly guide: readonly GuideStep[];
  readonly probes: readonly StoredProbe[];
  readonly state: CurrentState;
  /** Ledger asset of its amounts. */
  readonly asset: string;
}

export interface LoggedRequest {
  readonly id: string;
  /** Empty for a request of nobody in particular. */
  readonly tenantId: string;
  readonly facts: Facts;
}

/** Decides the logged facts again, and looks at how account, key and limits are now. */
export async function readFindings(deps: StateDeps, request: LoggedRequest): Promise<Findings> {
  const { facts, tenantId, id } = request;
  const catalog = deps.catalog();
  const { asset } = catalog;
  const view = explain(facts, { catalog, formatTime: utcMinute });
  const state = await readCurrentState(deps, facts, tenantId);
  const probes = await readProbes(deps, id);
  const source: CheckSource = {
    facts,
    view,
    catalog,
    now: checkNowOf(state),
    provider: findProvider(facts.forwarding?.upstream?.provider ?? facts.outcome?.target ?? ''),
    probes: probes.map(probeItem),
    formatTime: utcMinute,
  };
  const { accounts } = state.account ?? {};
  return {
    view,
    checklist: explainChecklist(source),
    limits: explainLimitRows({ view, asset, accounts, at: state.at }),
    guide: explainGuide(source),
    probes,
    state,
    asset,
  };
}

import type { Violation } from '../src/stores/store.ts';
import type { ChaosReport, InvariantResult, OutageReport } from './report.ts';
import { UNITS_MOST } from './traffic.ts';

/** What all the invariants are judged by. */
export interface Findings {
  /** Of the audits and of the request log, each named by its invariant: `I1 ...`. */
  readonly violations: readonly Violation[];
  readonly audits: number;
  readonly decided: number;
  /** Units charged of the balance, and of all keys together. */
  readonly spentUnits: number;
  readonly keyUnits: number;
  readonly unchargedUnits: number;
  readonly unchargedAnswers: number;
  readonly unservedUnits: number;
  readonly unservedAnswers: number;
  /** Answers that may be charged of which nobody saw a byte. */
  readonly unservedMost: number;
  readonly reservedBackMs: number | undefined;
  readonly reservedAtEnd: number;
}

export const RESERVED_BACK_MS_MOST = 5000;
const UNAVAILABLE = '503 BILLING_UNAVAILABLE';

/** The invariants of docs/spec/ledger.md, in their order. */
export function judge(findings: Findings): readonly InvariantResult[] {
  const audited = `${findings.audits} audits under fire and after it`;
  const isBack = (findings.reservedBackMs ?? Number.POSITIVE_INFINITY) <= RESERVED_BACK_MS_MOST;
  return [
    byAudit(findings, 'I1', `entries sum to 0; ${audited}`),
    byAudit(findings, 'I2', `each grant adds up; ${audited}`),
    byAudit(findings, 'I3', `available is never negative; ${audited}`),
    {
      name: 'I4',
      state: isResolvedOnce(findings) ? 'holds' : 'broken',
      how: `a hold resolves once: the keys were charged ${findings.keyUnits} units, the balance ${findings.spentUnits}`,
    },
    {
      name: 'I5',
      state: isServedCharged(findings) ? 'holds' : 'broken',
      how: `served is charged, and charged is served but for ${findings.unservedAnswers} answers of at most ${findings.unservedMost}`,
    },
    byAudit(findings, 'I6', `grants burn in their order; ${audited}`),
    { name: 'I7', state: 'unchecked', how: 'this build takes no payment events' },
    findings.decided === 0
      ? { name: 'I8', state: 'unchecked', how: 'nothing was refused after the last restart' }
      : byAudit(findings, 'I8', `${findings.decided} refusals decided again from their log rows`),
    byAudit(findings, 'I9', `balances are the sum of their entries; ${audited}`),
    {
      name: 'I10',
      state:
        isBack && findings.reservedAtEnd === 0 && !isFound(findings, 'I10') ? 'holds' : 'broken',
      how: `reserved goes back to 0, ${findings.reservedAtEnd} at the end; ${audited}`,
    },
  ];
}

/** Why the run is no proof, in words; none = it is one. */
export function findProblems(
  report: Pick<
    ChaosReport,
    | 'overspent'
    | 'served_uncharged'
    | 'charged_unserved'
    | 'charged_unserved_most'
    | 'refused_early'
    | 'unexpected'
    | 'unsold_units'
    | 'invariants_broken'
    | 'kills'
    | 'in_flight_least'
    | 'outage'
  >,
  planned: { readonly kills: number; readonly inFlightLeast: number },
): readonly string[] {
  const { in_flight_least: inFlight, outage } = report;
  const problems: readonly (readonly [boolean, string])[] = [
    [report.overspent > 0, `${report.overspent} units were served beyond the budget`],
    [report.served_uncharged > 0, `${report.served_uncharged} units were served uncharged`],
    [
      report.charged_unserved > report.charged_unserved_most,
      `${report.charged_unserved} answers were charged unserved, more than ${report.charged_unserved_most}`,
    ],
    [
      report.refused_early > 0,
      `${report.refused_early} calls were refused that there was money for`,
    ],
    [report.unexpected > 0, `${report.unexpected} answers had a status that no fault explains`],
    [report.unsold_units > 0, `one unit was refused while ${report.unsold_units} were left`],
    [report.invariants_broken > 0, `${report.invariants_broken} invariants are broken`],
    [report.kills < planned.kills, `only ${report.kills} of ${planned.kills} kills were made`],
    [
      inFlight !== null && inFlight < planned.inFlightLeast,
      `at a kill only ${inFlight} calls were in flight, not ${planned.inFlightLeast}`,
    ],
    ...(outage === null ? [] : findOutageProblems(outage)),
  ];
  return problems.filter(([isSo]) => isSo).map(([, text]) => text);
}

function findOutageProblems(outage: OutageReport): readonly (readonly [boolean, string])[] {
  // An upstream that is too busy to answer is no fault of the books.
  const others = Object.keys(outage.codes).filter((code) => !code.startsWith('503 '));
  return [
    [outage.refused > 0, `${outage.refused} calls got a 402 because the store was away`],
    [outage.served_answers === 0, 'nothing was served from leases while the store was away'],
    [!(UNAVAILABLE in outage.codes), 'nobody was told that the store was away'],
    [others.length > 0, `while the store was away calls were answered with ${others.join(', ')}`],
    [outage.no_answer > 0, `${outage.no_answer} calls got no answer while the store was away`],
  ];
}

function byAudit(findings: Findings, name: string, how: string): InvariantResult {
  return { name, state: isFound(findings, name) ? 'broken' : 'holds', how };
}

function isFound({ violations }: Findings, name: string): boolean {
  return violations.some(({ invariant }) => invariant.split(' ')[0] === name);
}

/** Twice resolved, a hold would be charged to a key or to the balance once more than to the other, or beyond the bound. */
function isResolvedOnce({ keyUnits, spentUnits, ...findings }: Findings): boolean {
  return keyUnits === spentUnits && findings.unservedAnswers <= findings.unservedMost;
}

function isServedCharged(findings: Findings): boolean {
  return (
    findings.unchargedUnits === 0 &&
    findings.unchargedAnswers === 0 &&
    findings.unservedAnswers <= findings.unservedMost &&
    findings.unservedUnits <= findings.unservedMost * UNITS_MOST
  );
}

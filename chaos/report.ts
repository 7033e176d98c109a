import type { Durability } from '../src/domain/catalog.ts';
import type { Violation } from '../src/stores/store.ts';

/** How one invariant of docs/spec/ledger.md came out. `unchecked`: nothing in this run could break it. */
export interface InvariantResult {
  readonly name: string;
  readonly state: 'holds' | 'broken' | 'unchecked';
  readonly how: string;
}

/** What clients saw of any gateway; the names are those of `--json`. */
interface SeenReport {
  readonly seed: number;
  readonly seconds: number;
  readonly budget_units: number;
  readonly requests: number;
  readonly streamed: number;
  /** Calls, plain and streamed, that their caller left midway. */
  readonly left: number;
  /** 402. */
  readonly refused: number;
  /** 5xx. */
  readonly unavailable: number;
  readonly no_answer: number;
  readonly served_answers: number;
  readonly served_units: number;
  /** Units served beyond the money there was. */
  readonly overspent: number;
}

/** What callers were told while the store was away. */
export interface OutageReport {
  readonly seconds: number;
  readonly served_answers: number;
  readonly served_units: number;
  /** 402, of whatever kind. */
  readonly refused: number;
  readonly no_answer: number;
  /** All other answers, by status and code: `503 BILLING_UNAVAILABLE`. */
  readonly codes: Readonly<Record<string, number>>;
  /** Longest that anybody waited for an answer. */
  readonly longest_ms: number;
  /** From its return until the last gateway served again. */
  readonly recovered_ms: number;
}

/** What a run against gateways of our own found. */
export interface ChaosReport extends SeenReport {
  readonly store: string;
  readonly durability: Durability;
  readonly gateways: number;
  readonly workers: number;
  /** Final 402s while there was still money for the call. */
  readonly refused_early: number;
  /** Answers of any status but 200, 402 and 5xx. */
  readonly unexpected: number;
  readonly kills: number;
  readonly killed_processes: number;
  readonly pauses: number;
  readonly store_restarts: number;
  /** Null = the store was not taken away for long. */
  readonly outage: OutageReport | null;
  /** At the gateway that was killed; null without kills. */
  readonly in_flight_least: number | null;
  readonly charged_answers: number;
  readonly charged_units: number;
  /** Units that a client saw and its key was not charged. */
  readonly served_uncharged: number;
  /** Answers charged of which nobody saw a byte, and how many there may be: one for each worker killed, or a group. */
  readonly charged_unserved: number;
  readonly charged_unserved_most: number;
  readonly charged_unserved_units: number;
  /** Units that the balance still has, though a single one was refused. */
  readonly unsold_units: number;
  /** From the last restart until nothing was reserved; null = it did not come back. */
  readonly reserved_back_ms: number | null;
  readonly audits: number;
  readonly invariants_broken: number;
  readonly invariants: readonly InvariantResult[];
  readonly violations: readonly Violation[];
}

/** What can be known of a gateway of which only the answers are seen; null = unknown. */
export interface TargetReport extends SeenReport {
  readonly target: string;
  /** Whether it was asked until it refused a single unit: only then a budget that holds says something. */
  readonly sold_out: boolean;
  readonly served_uncharged: null;
  readonly charged_unserved: null;
  readonly kills: null;
  readonly invariants_broken: null;
}

type Row = readonly [string, string];

export function renderReport(report: ChaosReport): string {
  const rows: readonly Row[] = [
    ['store', report.store],
    ['durability', report.durability],
    ['gateways', `${report.gateways}, of ${report.workers} worker(s) each`],
    ['budget', `${count(report.budget_units)} units`],
    [
      'requests',
      `${count(report.requests)}; ${count(report.streamed)} streamed, ${count(report.left)} left midway`,
    ],
    ['refused (402)', `${count(report.refused)}; ${count(report.refused_early)} too early`],
    [
      'otherwise',
      `${count(report.unavailable)} unavailable (5xx), ${count(report.no_answer)} no answer, ${count(report.unexpected)} unexpected`,
    ],
    ['kills (-9)', `${report.kills}, ending ${report.killed_processes} processes in all`],
    ['in flight at a kill', `${say(report.in_flight_least)} at least, at the killed gateway`],
    ['pauses', count(report.pauses)],
    ['store restarts', count(report.store_restarts)],
    ...(report.outage === null ? [] : renderOutage(report.outage)),
    ['served', `${count(report.served_answers)} answers, ${count(report.served_units)} units`],
    ['charged', `${count(report.charged_answers)} answers, ${count(report.charged_units)} units`],
    ['overspent', `${count(report.overspent)} units`],
    ['served uncharged', `${count(report.served_uncharged)} units`],
    [
      'charged unserved',
      `${count(report.charged_unserved)} answers of at most ${report.charged_unserved_most}, ${count(report.charged_unserved_units)} units`,
    ],
    ['left unsold', `${count(report.unsold_units)} units`],
    [
      'reserved back to 0',
      report.reserved_back_ms === null ? 'no' : `after ${report.reserved_back_ms} ms`,
    ],
    ['audits of the live books', count(report.audits)],
    ...report.invariants.map(({ name, state, how }): Row => [`${name} ${state}`, how]),
    ['invariants broken', count(report.invariants_broken)],
    ['seed, seconds', `${report.seed}, ${report.seconds.toFixed(1)}`],
  ];
  const violations = report.violations.map(({ invariant, detail }) => `${invariant}: ${detail}`);
  return [...renderTable(rows), ...violations].join('\n');
}

function renderOutage(outage: OutageReport): readonly Row[] {
  const { codes, served_answers: answers, served_units: units } = outage;
  const told = Object.entries(codes).map(([code, calls]) => `${count(calls)} ${code}`);
  return [
    ['store away', `${outage.seconds.toFixed(1)} s`],
    ['- served from leases', `${count(answers)} answers, ${count(units)} units`],
    ['- answered instead', told.join(', ')],
    ['- refused (402)', count(outage.refused)],
    ['- no answer', count(outage.no_answer)],
    ['- longest wait', `${count(outage.longest_ms)} ms`],
    ['- all serve again', `${count(outage.recovered_ms)} ms after its return`],
  ];
}

export function renderTarget(report: TargetReport): string {
  const rows: readonly Row[] = [
    ['target', report.target],
    ['budget', `${count(report.budget_units)} units`],
    [
      'requests',
      `${count(report.requests)}; ${count(report.streamed)} streamed, ${count(report.left)} left midway`,
    ],
    ['refused (4xx)', count(report.refused)],
    [
      'otherwise',
      `${count(report.unavailable)} unavailable (5xx), ${count(report.no_answer)} no answer`,
    ],
    ['served', `${count(report.served_answers)} answers, ${count(report.served_units)} units`],
    ['overspent', `${count(report.overspent)} units`],
    ['asked until it refused', report.sold_out ? 'yes' : 'no'],
    ['served uncharged', say(report.served_uncharged)],
    ['charged unserved', say(report.charged_unserved)],
    ['kills', say(report.kills)],
    ['invariants broken', say(report.invariants_broken)],
    ['seed, seconds', `${report.seed}, ${report.seconds.toFixed(1)}`],
  ];
  return renderTable(rows).join('\n');
}

function renderTable(rows: readonly Row[]): readonly string[] {
  const width = Math.max(...rows.map(([title]) => title.length));
  return rows.map(([title, value]) => `${title.padEnd(width)}  ${value}`);
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}

/** What is not known is said so, and never as 0. */
function say(value: number | null): string {
  return value === null ? 'unknown' : count(value);
}

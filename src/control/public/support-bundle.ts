import { PROBLEM_VERSION } from '../../contract/problem-document.ts';
import type { Facts } from '../../domain/facts.ts';
import { unpackFacts } from '../../domain/facts-record.ts';
import type { RequestRow } from '../../stores/store.ts';
import type { PublicDeps } from './public-deps.ts';
import { createRedact, redactAll } from './redact.ts';
import type { RequestReport } from './request-report.ts';
import { isoTime } from './time-words.ts';
import { viewExplain } from './view-explain.ts';

/** Requests of the same key that are told beside it: what led there, and whether it goes on. */
export const EXCERPT_MAX = 20;
const EXCERPT_MS = 15 * 60_000;

/** One file that says everything support needs and nothing that lets anybody in (DIAG-08). */
export async function buildBundle(deps: PublicDeps, report: RequestReport): Promise<object> {
  const { request, state, view } = report;
  const { facts } = request;
  const { key, account } = state;
  return {
    bundle: 'tollkeeper-support-1',
    made_at: isoTime(state.at),
    versions: {
      tollkeeper: deps.version,
      problem: PROBLEM_VERSION,
      configuration_then: facts.catalogVersion,
      configuration_now: deps.catalog().version,
      plan: view.plan ?? null,
    },
    account: {
      tenant_id: request.tenantId === '' ? null : request.tenantId,
      paid_by: account?.access.payer.id ?? null,
      // Masked: the key itself is nowhere, not even in the store.
      key: key === undefined ? null : { id: key.id, hint: key.hint, environment: key.environment },
    },
    error: { status: view.status ?? null, code: view.code ?? null, verdict: view.verdict },
    timestamps: {
      received: isoTime(facts.at),
      answered:
        facts.outcome === undefined
          ? null
          : isoTime(facts.at + Math.round(facts.outcome.durationMs)),
    },
    explanation: viewExplain(report),
    log: {
      row: facts,
      same_key: redactAll(await readExcerpt(deps, facts), createRedact(deps.catalog())),
    },
  };
}

/** What else this key asked for in the quarter of an hour up to the request and after it, newest first. */
async function readExcerpt(deps: PublicDeps, facts: Facts): Promise<readonly object[]> {
  const { identity, at } = facts;
  if (identity.kind !== 'key') return [];
  const { rows } = await deps.store.searchRequests({
    tenantId: identity.tenantId,
    keyId: identity.keyId,
    from: at - EXCERPT_MS,
    to: at + EXCERPT_MS,
    limit: EXCERPT_MAX,
  });
  return rows.map(viewRow);
}

function viewRow(row: RequestRow): object {
  const facts = unpackFacts(row.facts);
  return {
    request_id: row.requestId,
    at: isoTime(row.at),
    method: facts?.method ?? null,
    path: facts?.path ?? null,
    status: row.status,
    code: row.code === '' ? null : row.code,
    upstream_status: facts?.outcome?.upstreamStatus ?? null,
  };
}

/** The same for people: every member on a line of its own, nested ones indented. */
export function formatBundle(bundle: object): string {
  return `${formatMembers(bundle, '').join('\n')}\n`;
}

function formatMembers(value: object, indent: string): readonly string[] {
  return Object.entries(value).flatMap(([name, member]: [string, unknown]) =>
    formatMember(Array.isArray(value) ? '-' : `${name}:`, member, indent),
  );
}

function formatMember(name: string, value: unknown, indent: string): readonly string[] {
  if (value === undefined) return [];
  if (typeof value !== 'object' || value === null)
    return [`${indent}${name} ${formatScalar(value)}`];
  const members = formatMembers(value, `${indent}  `);
  return members.length === 0 ? [`${indent}${name} none`] : [`${indent}${name}`, ...members];
}

function formatScalar(value: unknown): string {
  if (value === null) return 'none';
  // One line each, whatever an upstream wrote.
  return typeof value === 'string' ? value.replaceAll(/\s+/g, ' ') : JSON.stringify(value);
}

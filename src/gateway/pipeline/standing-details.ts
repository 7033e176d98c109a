import type { ProblemDetails } from '../../contract/problem-document.ts';
import type { StandingFact } from '../../domain/standing.ts';
import type { Exchange } from './exchange.ts';
import { omitUndefined, type RefusalDescription } from './refusal-description.ts';

const DAY_MS = 86_400_000;

/** What is owed or has ended, whose it is, and what is still served meanwhile (SUB-15, DEG-05). */
export function describeStanding({ exchange, facts, refusal }: RefusalDescription): ProblemDetails {
  const { standing } = facts;
  if (standing === undefined) return {};
  const level = omitUndefined({ service_level: levelOf(exchange) });
  if (refusal.step !== 'stand') return level;
  const { invoices } = standing;
  return {
    ...level,
    ...omitUndefined({
      account: payerOf(exchange),
      current_plan_end_date: endOf(standing),
      grace_ended_at: graceEndOf(standing, exchange),
      invoices: invoices.length === 0 ? undefined : invoices.map((id) => ({ id })),
    }),
  };
}

function levelOf({ degraded }: Exchange): ProblemDetails['service_level'] {
  if (degraded === undefined) return undefined;
  return degraded.readOnly ? 'read_only' : 'degraded';
}

/** The organisation, when it is not the caller who pays. */
function payerOf({ access }: Exchange): string | undefined {
  return access === undefined || access.payer.id === access.tenant.id
    ? undefined
    : access.payer.name;
}

function endOf({ lifecycle, since }: StandingFact): string | undefined {
  const ended = lifecycle === 'expired' || lifecycle === 'trial_expired';
  return ended ? toIso(since) : undefined;
}

/** A charge that failed was forgiven for the days of grace; they are over. */
function graceEndOf({ code, since }: StandingFact, { access }: Exchange): string | undefined {
  if (code !== 'PAYMENT_METHOD_INVALID' || since === undefined || access === undefined) {
    return undefined;
  }
  return toIso(since + access.plan.graceDays * DAY_MS);
}

function toIso(at: number | undefined): string | undefined {
  return at === undefined ? undefined : new Date(at).toISOString();
}

import { checkAccount } from './checklist-account.ts';
import { checkKey } from './checklist-key.ts';
import { checkUpstream, type ProviderLinks } from './checklist-upstream.ts';
import type { Catalog } from './catalog.ts';
import { isReached, NOT_REACHED } from './explain-trace.ts';
import type { ExplainView } from './explain.ts';
import type { Facts } from './facts.ts';
import type { KeyTerms } from './key-terms.ts';
import type { StandingFact } from './standing.ts';
import type { AccountState, PaymentTerms } from './tenant-terms.ts';

/** `problem` explains the answer or will cause the next one; `note` is neither good nor bad. */
export type CheckVerdict = 'ok' | 'problem' | 'unknown' | 'note';

export interface CheckItem {
  readonly verdict: CheckVerdict;
  readonly text: string;
  readonly link?: { readonly href: string; readonly label: string };
}

/** One of the eight steps in which people find out why a call was refused (DIAG-02..08). */
export interface CheckStep {
  readonly id: 'error' | 'log' | 'limits' | 'account' | 'key' | 'upstream' | 'probe' | 'bundle';
  readonly title: string;
  /** The worst of its items. */
  readonly verdict: CheckVerdict;
  readonly items: readonly CheckItem[];
}

/** How account and key are at the moment somebody asks: it may differ from when the request was decided. */
export interface CheckNow {
  /** Epoch ms. */
  readonly at: number;
  readonly account: AccountNow | undefined;
  readonly key: KeyNow | undefined;
}
export interface AccountNow {
  /** Whether it may call at all, and whose state that is: its own, or that of a tenant above. */
  readonly state: AccountState;
  readonly stateFrom: 'tenant' | 'ancestor';
  readonly planTitle: string;
  /** A plan with a price. */
  readonly paidPlan: boolean;
  readonly standing: StandingFact;
  readonly payment: PaymentTerms;
  /** Nano of credit neither spent nor held; undefined = the plan uses none. */
  readonly availableNano: bigint | undefined;
}
export interface KeyNow {
  /** `tk_test_...aB3d`. */
  readonly hint: string;
  readonly environment: 'live' | 'test';
  readonly revokedAt: number | undefined;
  readonly expiresAt: number | undefined;
  readonly terms: KeyTerms;
}

export interface CheckSource {
  readonly facts: Facts;
  readonly view: ExplainView;
  readonly catalog: Catalog;
  readonly now: CheckNow;
  readonly provider: ProviderLinks | undefined;
  /** What dry runs of this request gave. */
  readonly probes: readonly CheckItem[];
  /** Epoch ms in words. */
  readonly formatTime: (at: number) => string;
}

/** The eight steps, filled in for one request. */
export function explainChecklist(source: CheckSource): readonly CheckStep[] {
  return [
    step('error', 'What the answer says', checkError(source)),
    step('log', 'What the log has of it', checkLog(source)),
    step('limits', 'Use and limits at that moment', checkLimits(source)),
    step('account', 'Subscription, plan, payment method and invoices', checkAccount(source)),
    step('key', 'The key', checkKey(source)),
    step('upstream', 'The upstream', checkUpstream(source)),
    step('probe', 'A smaller call or a cheaper model', checkProbes(source)),
    step('bundle', 'Everything for support', BUNDLE),
  ];
}

function step(id: CheckStep['id'], title: string, items: readonly CheckItem[]): CheckStep {
  return { id, title, verdict: worstOf(items), items };
}

const WORST_FIRST: readonly CheckVerdict[] = ['problem', 'unknown', 'ok'];

function worstOf(items: readonly CheckItem[]): CheckVerdict {
  return WORST_FIRST.find((verdict) => items.some((item) => item.verdict === verdict)) ?? 'note';
}

/** What each family of answers means, in the words of the status guide. */
const MEANINGS: Readonly<Record<number, string>> = {
  400: '400: the request itself is wrong. It has to be changed, whoever pays.',
  401: '401: the gateway does not know who is calling. Paying changes nothing.',
  402: '402: money is what is missing. Paying, or raising a limit of money, makes the same request work.',
  403: '403: it is not allowed to this caller, whatever is paid.',
  404: '404: there is nothing at this address.',
  405: '405: the address is right and the method is not.',
  410: '410: what was here is gone for good.',
  413: '413: the body is larger than this address takes from anybody.',
  429: '429: too fast, too many at a time, or an unpaid call repeated too often. Slow down.',
};

function checkError({ view }: CheckSource): readonly CheckItem[] {
  const verdict = view.refusal === undefined ? 'ok' : 'problem';
  const items: CheckItem[] = [{ verdict, text: view.verdict }];
  const { status } = view;
  const meaning = status === undefined ? undefined : meaningOf(status);
  if (meaning !== undefined) items.push(note(meaning));
  if (view.retry !== undefined) items.push(note(`Will retrying help? ${view.retry.text}`));
  return items;
}

function meaningOf(status: number): string | undefined {
  if (status < 400) return undefined;
  if (status < 500) return MEANINGS[status];
  return `${status}: trouble of the gateway or of what is behind it. It is not the caller's fault and costs nothing.`;
}

function checkLog({ facts, view, formatTime }: CheckSource): readonly CheckItem[] {
  const { outcome } = facts;
  const arrived = `${facts.method} ${facts.path} arrived at ${formatTime(facts.at)} as ${facts.requestId}.`;
  if (outcome === undefined)
    return [note(arrived), unknown('No answer is recorded: it still runs.')];
  const { status, code, durationMs } = outcome;
  const ended = code === '' ? `status ${status}` : `status ${status}, ${code}`;
  const answered = `It was answered with ${ended} after ${Math.round(durationMs)} ms.`;
  const again: CheckItem = view.agrees
    ? { verdict: 'ok', text: 'Decided again from this row, the answer is the same.' }
    : unknown('Decided again from this row, the answer would be another one: tell the provider.');
  return [note(arrived), note(answered), again];
}

/** The numbers are a table of their own: here is which of them refused. */
function checkLimits({ facts, view }: CheckSource): readonly CheckItem[] {
  const stops = view.trace.filter(
    ({ step: name, verdict }) => name === 'reserve' && STOPPED.has(verdict),
  );
  if (stops.length > 0) return stops.map(({ text }) => ({ verdict: 'problem', text }));
  if (!isReached(view, 'reserve')) return [note(NOT_REACHED)];
  if (facts.limits.length === 0) return [{ verdict: 'ok', text: 'No limit was looked at.' }];
  return [{ verdict: 'ok', text: 'Every limit that was looked at had room for the call.' }];
}

const STOPPED: ReadonlySet<string> = new Set(['refused', 'would refuse']);

function checkProbes({ probes }: CheckSource): readonly CheckItem[] {
  if (probes.length > 0) return probes;
  return [note('Not tried yet: a dry run sends nothing, counts nothing and costs nothing.')];
}

const BUNDLE: readonly CheckItem[] = [
  note(
    'One file with the error, the times, the masked key, these steps and the log, and no secrets.',
  ),
];

function note(text: string): CheckItem {
  return { verdict: 'note', text };
}

function unknown(text: string): CheckItem {
  return { verdict: 'unknown', text };
}

import type { CheckItem, CheckSource } from './checklist.ts';
import type { Refusal } from './decide.ts';
import { isReached } from './explain-trace.ts';
import { againOf, fullMinuteFrom } from './explain-words.ts';

/** One step for people who use an application and have no key of their own (DIAG-09). */
export interface GuideStep {
  readonly id: 'context' | 'subscription' | 'payment_method' | 'usage' | 'cache' | 'support';
  readonly title: string;
  readonly verdict: CheckItem['verdict'];
  readonly text: string;
}

/** The order in which an end user looks: what is in their own hands comes first, asking somebody last. */
export function explainGuide(source: CheckSource): readonly GuideStep[] {
  const steps = [
    checkContext(source),
    checkSubscription(source),
    checkMethod(source),
    checkUsage(source),
    CACHE,
  ];
  return [...steps, supportStep(source, steps)];
}

function checkContext({ facts, view }: CheckSource): GuideStep {
  const context = { id: 'context', title: 'How much you sent at once' } as const;
  const tooLong = facts.entitlements.find(
    ({ kind, granted }) => !granted && (kind === 'context' || kind === 'file_size'),
  );
  if (tooLong === undefined && view.code !== 'CONTEXT_LENGTH_EXCEEDED') {
    return { ...context, verdict: 'ok', text: 'It was not too long.' };
  }
  const text =
    'It was too long. Begin a new conversation, or send a shorter text or a smaller file.';
  return { ...context, verdict: 'problem', text };
}

function checkSubscription({ now: { account } }: CheckSource): GuideStep {
  const subscription = { id: 'subscription', title: 'The subscription' } as const;
  if (account === undefined) {
    return {
      ...subscription,
      verdict: 'unknown',
      text: 'It is not known whose account it is. Sign in again.',
    };
  }
  const { standing, planTitle } = account;
  return standing.code === undefined
    ? { ...subscription, verdict: 'ok', text: `The plan ${planTitle} is active.` }
    : {
        ...subscription,
        verdict: 'problem',
        text: `The plan ${planTitle} has to be renewed or paid.`,
      };
}

function checkMethod({ now: { account } }: CheckSource): GuideStep {
  const method = { id: 'payment_method', title: 'The payment method' } as const;
  const state = account?.payment.method;
  if (state === undefined) return { ...method, verdict: 'unknown', text: 'Not known.' };
  return state === 'valid' || state === 'not_required'
    ? { ...method, verdict: 'ok', text: 'There is nothing to do.' }
    : { ...method, verdict: 'problem', text: 'Add, confirm or replace it, then try again.' };
}

function checkUsage({ view, facts, formatTime }: CheckSource): GuideStep {
  const usage = { id: 'usage', title: 'What has been used' } as const;
  if (view.refusal?.step !== 'reserve') {
    return isReached(view, 'reserve')
      ? { ...usage, verdict: 'ok', text: 'There was enough left for it.' }
      : { ...usage, verdict: 'note', text: 'It was not looked at: something else came first.' };
  }
  const { limit, resetsAt } = view.refusal;
  const when =
    resetsAt === undefined
      ? ''
      : ` It is ${againOf(limit)} at ${formatTime(fullMinuteFrom(resetsAt))}.`;
  const isSlow = facts.reservation?.kind === 'limited';
  const text = isSlow
    ? 'It was too fast: wait a little and try once.'
    : describeLack(view.refusal) + when;
  return { ...usage, verdict: 'problem', text };
}

function describeLack({ limit, neverFits }: Refusal): string {
  if (neverFits) return 'It asked for more than is ever allowed: ask for less.';
  return limit?.kind === 'balance' ? 'The credit is used up.' : 'An allowance is used up.';
}

/** Our own refusals are never stored; what an application has kept may be. */
const CACHE: GuideStep = {
  id: 'cache',
  title: 'An old answer',
  verdict: 'note',
  text: 'After paying, reload the page or restart the application once: it may still show what it was told before.',
};

function supportStep({ facts, view }: CheckSource, steps: readonly GuideStep[]): GuideStep {
  const support = { id: 'support', title: 'Support', verdict: 'note' } as const;
  const number = `send support the number ${facts.requestId}.`;
  if (view.result === 'failed') {
    const text = `It failed at the provider behind the application, not with you. Try again in a minute; if it stays, ${number}`;
    return { ...support, text };
  }
  const isMarked = steps.some(({ verdict }) => verdict === 'problem');
  const first = isMarked ? 'Do what is marked above first. Then, if' : 'If';
  return { ...support, text: `${first} it still does not work, ${number}` };
}

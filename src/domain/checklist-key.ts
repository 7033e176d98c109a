import type { CheckItem, CheckSource, KeyNow } from './checklist.ts';
import { isReached, NOT_REACHED, titleOf } from './explain-trace.ts';
import type { KeyTerms } from './key-terms.ts';

/** Step 5: the right environment, not revoked or expired, permitted, and linked to a paid account (DIAG-05). */
export function checkKey(source: CheckSource): readonly CheckItem[] {
  const { facts, now, view } = source;
  if (!isReached(view, 'identify')) return [{ verdict: 'note', text: NOT_REACHED }];
  const { identity } = facts;
  if (identity.kind === 'refused') {
    return [{ verdict: 'problem', text: `${titleOf(identity.code)} (${identity.code}).` }];
  }
  if (identity.kind === 'anonymous') {
    return [{ verdict: 'note', text: 'The call was made without a key.' }];
  }
  const permitted = checkPermission(source);
  if (now.key === undefined) {
    const text = `The key ${identity.keyId} is not there any more.`;
    return [{ verdict: 'problem', text }, permitted];
  }
  return [
    { verdict: 'note', text: `It is ${now.key.hint} (${identity.keyId}).` },
    checkEnvironment(now.key, source),
    checkRevoked(now.key, source),
    checkExpiry(now.key, source),
    permitted,
    ...describeTerms(now.key.terms),
    checkPaid(source),
  ];
}

function checkEnvironment({ environment }: KeyNow, { facts, catalog }: CheckSource): CheckItem {
  const api = catalog.apis.find(({ id }) => id === facts.route?.apiId);
  const wanted = api?.environment;
  if (wanted === undefined) {
    return { verdict: 'ok', text: `Environment: a ${environment} key, and the API takes any.` };
  }
  return wanted === environment
    ? { verdict: 'ok', text: `Environment: a ${environment} key for a ${wanted} API.` }
    : {
        verdict: 'problem',
        text: `Environment: a ${environment} key, and the API takes ${wanted} keys.`,
      };
}

function checkRevoked({ revokedAt }: KeyNow, { formatTime }: CheckSource): CheckItem {
  return revokedAt === undefined
    ? { verdict: 'ok', text: 'Revoked: no.' }
    : { verdict: 'problem', text: `Revoked: since ${formatTime(revokedAt)}.` };
}

function checkExpiry({ expiresAt }: KeyNow, { formatTime, now }: CheckSource): CheckItem {
  if (expiresAt === undefined) return { verdict: 'ok', text: 'Expires: never.' };
  return now.at < expiresAt
    ? { verdict: 'ok', text: `Expires: at ${formatTime(expiresAt)}.` }
    : { verdict: 'problem', text: `Expired: since ${formatTime(expiresAt)}.` };
}

function checkPermission({ facts: { authorization } }: CheckSource): CheckItem {
  return authorization === undefined
    ? { verdict: 'ok', text: 'Permissions: the call was allowed to this key.' }
    : {
        verdict: 'problem',
        text: `Permissions: ${authorization.problem} (${authorization.code}).`,
      };
}

/** What the key is restricted to; a key without restrictions has no line. */
function describeTerms(terms: KeyTerms): readonly CheckItem[] {
  const lists = [
    ['APIs', terms.apis],
    ['models', terms.models],
    ['operations', terms.operations],
    ['addresses', terms.addresses],
    ['roles', terms.roles],
  ] as const;
  return lists
    .filter(([, names]) => names.length > 0)
    .map(([what, names]) => ({ verdict: 'note', text: `Its ${what}: ${names.join(', ')}.` }));
}

function checkPaid({ now: { account } }: CheckSource): CheckItem {
  if (account === undefined)
    return { verdict: 'unknown', text: 'Its account is not there any more.' };
  const { planTitle, paidPlan, availableNano } = account;
  if (paidPlan || (availableNano ?? 0n) > 0n) {
    return { verdict: 'ok', text: `Account: linked to a paid one, on plan ${planTitle}.` };
  }
  return {
    verdict: 'note',
    text: `Account: on plan ${planTitle}, which is free, and without credit.`,
  };
}

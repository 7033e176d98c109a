import type { LimitLabel } from './accounts.ts';
import { KEY_BUDGET } from './budget-tree.ts';
import type { LimitUnit, LimitWindow } from './catalog.ts';
import type { KeyFact } from './facts-record-members.ts';
import type { IdentityFact, LimitFact } from './facts.ts';

/** Who and what an account is. */
export type LimitHead = Pick<LimitFact, 'accountId' | 'kind' | 'unit' | 'label'>;

/**
 * A short name where the account's id and its owner give the rest back: the name is the same for every key of a
 * plan, so that a batch of rows writes it once. Else all there is to know, as JSON either way.
 */
export function packHead(limit: LimitFact, identity: IdentityFact): string {
  const { accountId, kind, unit, label } = limit;
  if (identity.kind === 'key' && isNamedByLabel(limit, identity)) {
    return JSON.stringify(shortenOwner(accountId, identity));
  }
  return JSON.stringify({ accountId, kind, unit, label });
}

export function unpackHead(head: string | LimitHead, identity: IdentityFact): LimitHead {
  if (typeof head !== 'string') return { ...head, label: head.label };
  if (identity.kind !== 'key') throw new TypeError(`${head} is short for an account of nobody`);
  return expandHead(head, identity);
}

function shortenOwner(accountId: string, identity: KeyFact): string {
  const start = accountId.indexOf(':') + 1;
  const owner = accountId.startsWith(identity.keyId, start) ? identity.keyId : identity.tenantId;
  const letter = owner === identity.keyId ? 'k' : 't';
  return accountId.slice(0, start) + letter + accountId.slice(start + owner.length);
}

function expandHead(short: string, identity: KeyFact): LimitHead {
  const [kind = '', owner = '', name = ''] = short.split(':');
  const keyId = owner === 'k' ? identity.keyId : undefined;
  const rest = short.slice(kind.length + 1 + owner.length);
  const accountId = `${kind}:${keyId ?? identity.tenantId}${rest}`;
  if (kind === 'bal') return { accountId, kind: 'balance', unit: name, label: undefined };
  const label = labelOf(name, keyId);
  return { accountId, kind: 'quota', unit: label.unit, label };
}

/** Whether the account's id alone gives the label back. */
function isNamedByLabel(limit: LimitFact, identity: KeyFact): boolean {
  const { label, kind, accountId, unit } = limit;
  const owner = accountId.slice(accountId.indexOf(':') + 1, accountId.indexOf(':', 4));
  if (owner !== identity.tenantId && owner !== identity.keyId) return false;
  if (label === undefined) return kind === 'balance' && accountId.endsWith(`:${unit}`);
  if (label.unit !== unit) return false;
  if (label.id === KEY_BUDGET) return label.window === 'lifetime';
  if (isMarked(label)) return false;
  const scope = label.scope === 'key' ? 'key_' : '';
  return label.id === `${scope}${label.unit}_per_${label.window}`;
}

/** Whether it is more than a name says: another scope, class or owner. */
function isMarked({ of, class: limitClass, softAt, from, scope }: LimitLabel): boolean {
  if (scope !== 'tenant' && scope !== 'key') return true;
  return (of ?? limitClass ?? softAt ?? from) !== undefined;
}

/** `key_requests_per_month`, `spend_per_lifetime`, `key_budget`. */
function labelOf(name: string, keyId: string | undefined): LimitLabel {
  const scope = keyId === undefined ? 'tenant' : 'key';
  if (name === KEY_BUDGET) {
    return { id: name, unit: 'spend', window: 'lifetime', scope, keyId, from: 'key' };
  }
  const [unit, window] = (keyId === undefined ? name : name.slice('key_'.length)).split('_per_');
  return { id: name, unit: unit as LimitUnit, window: window as LimitWindow, scope, keyId };
}

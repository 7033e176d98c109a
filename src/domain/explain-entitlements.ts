import { formatBytes, formatNumber } from './explain-words.ts';
import type { EntitlementFact, Facts } from './facts.ts';

/** Whether the plan, or the key, covers it, with both numbers where it is a matter of size. */
export function describeEntitlement(entitlement: EntitlementFact): string {
  const { kind, id, granted } = entitlement;
  switch (kind) {
    case 'model':
    case 'feature':
      return `The plan ${granted ? 'includes' : 'does not include'} the ${kind} ${id}.`;
    case 'purchase':
      return `${id} was ${granted ? '' : 'not '}bought.`;
    case 'context':
    case 'file_size': {
      const { needed, allowed } = sizesOf(entitlement);
      return `The call ${needed}; ${allowed}.`;
    }
  }
}

/** As a clause after "Refused:". */
export function describeMissing(entitlement: EntitlementFact, { identity }: Facts): string {
  const { kind, id } = entitlement;
  const plan = identity.kind === 'key' ? `the plan ${identity.planTitle}` : 'the plan';
  switch (kind) {
    case 'model':
    case 'feature':
      return `the ${kind} ${id} is not part of ${plan}`;
    case 'purchase':
      return `${id} is sold by itself and was not bought`;
    case 'context':
    case 'file_size': {
      const { needed, allowed } = sizesOf(entitlement, plan);
      return `this call ${needed} and ${allowed}`;
    }
  }
}

function sizesOf(
  { kind, id, needed, allowed }: EntitlementFact,
  plan = 'the plan',
): { readonly needed: string; readonly allowed: string } {
  const owner = id === 'key' ? 'the key' : plan;
  const amount = (units: number) =>
    kind === 'context' ? `${formatNumber(units)} tokens` : formatBytes(units);
  return {
    needed: `${kind === 'context' ? 'needs' : 'sends'} ${needed === undefined ? 'more' : amount(needed)}`,
    allowed:
      allowed === undefined ? `${owner} allows any size` : `${owner} allows ${amount(allowed)}`,
  };
}

import type { LimitLabel } from '../../domain/accounts.ts';
import { KEY_BUDGET } from '../../domain/budget-tree.ts';

const SUFFIXES: Readonly<Record<NonNullable<LimitLabel['from']>, string>> = {
  key: '.key',
  // Only its budget, and no limit may be called what that is.
  tenant: '',
  ancestor: '.above',
  house: '.house',
};

/**
 * What a limit or rate is called in `RateLimit-Policy`: clients find what is left of it by this name, so that no two in
 * a list may share one, though a key, the tenants above and the house may each have a limit of the plan's name.
 * `above`: of the tenants above that have any, which one; 1 is the nearest.
 */
export function policyNameOf(id: string, from: LimitLabel['from'], above: number): string {
  if (from === undefined || id === KEY_BUDGET) return id;
  return id + SUFFIXES[from] + (above > 1 ? `_${above}` : '');
}

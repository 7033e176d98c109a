import type { Violation } from '../stores/store.ts';

/** Why a store was not touched. */
export interface Refusal<Code extends string> {
  readonly kind: 'refused';
  readonly code: Code;
  /** Why, and what to do. */
  readonly message: string;
}

export function refuse<Code extends string>(code: Code, message: string): Refusal<Code> {
  return { kind: 'refused', code, message };
}

/** One line for each. */
export function formatViolations(violations: readonly Violation[]): readonly string[] {
  return violations.map(({ invariant, detail }) => `${invariant}: ${detail}`);
}

import { expect } from 'vitest';

import { type Code, CODES } from '../../src/contract/codes.ts';
import type { GatewayCaller } from './gateway-caller.ts';

/** What the tests read of an explanation. */
export interface Explanation {
  readonly request_id: string;
  readonly result: string;
  readonly status: number;
  readonly code: string | null;
  readonly would_refuse: string | null;
  readonly verdict: string;
  readonly decided_again: { readonly agrees: boolean };
  readonly trace: readonly {
    readonly step: string;
    readonly verdict: string;
    readonly text: string;
  }[];
  readonly money: {
    readonly cost: string;
    readonly charged: string;
    readonly arithmetic: string;
  } | null;
  readonly fixes: readonly {
    readonly action: string;
    readonly text: string;
    readonly url?: string;
  }[];
  readonly retry: { readonly helps: boolean; readonly text: string } | null;
  readonly checklist: readonly {
    readonly id: string;
    readonly verdict: string;
    readonly items: readonly { readonly verdict: string; readonly text: string }[];
  }[];
}

/** DIAG-01..08: a refused request is explained by its log row, and decided again it gets the code it got. */
export async function checkExplained(
  caller: GatewayCaller,
  requestId: string,
  code: Code,
): Promise<Explanation> {
  const row = await caller.admin<{ explanation: Explanation | null }>(
    `/admin/requests/${requestId}`,
  );
  const { explanation } = row;
  if (explanation === null) throw new Error(`${requestId} is not explained`);
  expect(explanation).toMatchObject({
    request_id: requestId,
    code,
    status: CODES[code].status,
    decided_again: { agrees: true },
  });
  const { trace, verdict, fixes, retry, checklist } = explanation;
  const verdicts = trace.map((entry) => entry.verdict);
  expect(verdicts).toContain('refused');
  // Nothing behind the step that refused was looked at.
  expect(verdicts.slice(verdicts.lastIndexOf('refused') + 1)).not.toContain('passed');
  expect(verdict).toMatch(/^(Refused|Failed): .+\.$/);
  expect(fixes.length).toBeGreaterThan(0);
  expect(retry?.text).toMatch(/^(Yes|No)/);
  expect(checklist).toHaveLength(8);
  expect(checklist.some((step) => step.verdict === 'problem')).toBe(true);
  return explanation;
}

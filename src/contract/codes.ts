import type { CodeRow } from './code-row.ts';
import { ENTITLEMENT_CODES } from './codes/entitlements.ts';
import { FAULT_CODES } from './codes/faults.ts';
import { IDENTITY_CODES } from './codes/identity.ts';
import { LIMIT_CODES } from './codes/limits.ts';
import { REQUEST_CODES } from './codes/requests.ts';
import { STANDING_CODES } from './codes/standing.ts';

/**
 * The registry of DESIGN 3: every refusal the gateway can give, and nothing else about it elsewhere.
 * A new code is one row in the folder codes/, its translations beside it, one page in docs/errors, and
 * a way to it through a running gateway (test/every-code.test.ts): what nothing can produce is no code.
 * Words in `sentence` are those of problem-words.ts. Part of the public contract: a code never
 * changes its meaning.
 */
const ROWS = {
  ...LIMIT_CODES,
  ...ENTITLEMENT_CODES,
  ...STANDING_CODES,
  ...IDENTITY_CODES,
  ...REQUEST_CODES,
  ...FAULT_CODES,
} as const satisfies Record<string, CodeRow>;

/** Every code the gateway can answer with. */
export type Code = keyof typeof ROWS;

for (const row of Object.values(ROWS)) Object.freeze(row);
export const CODES: Readonly<Record<Code, CodeRow>> = Object.freeze(ROWS);

export function isCode(text: string): text is Code {
  return Object.hasOwn(ROWS, text);
}

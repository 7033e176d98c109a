import type { ParsedLlmRequest } from '../provider.ts';

export type Invalid = Extract<ParsedLlmRequest, { kind: 'invalid' }>;

/** `pointer`: RFC 6901, `''` for the whole body. `problem` reads well behind it: "must be ...". */
export function invalid(pointer: string, problem: string): Invalid {
  return { kind: 'invalid', pointer, problem };
}

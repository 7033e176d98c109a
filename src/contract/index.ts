/** The public entrance `tollkeeper/contract`: what a client needs to understand a refusal. */
export type { Action, CodeRow, PaymentAction, ProblemStatus, RetryKind } from './code-row.ts';
export {
  isRetryable,
  OTHER_ACTIONS,
  PAYMENT_ACTIONS,
  RETRY_KINDS,
  STATUS_FAMILIES,
} from './code-row.ts';
export type { Code } from './codes.ts';
export { CODES, isCode } from './codes.ts';
export type { ProblemDialect, RenderedProblem } from './dialects.ts';
export { renderProblem, renderProblemEvent } from './dialects.ts';
export type {
  HeaderList,
  ProblemHeaderOptions,
  RateLimitPolicy,
  RateLimitReading,
  RateLimitTerms,
} from './headers.ts';
export { buildProblemHeaders, buildRateLimitHeaders, compileRateLimitPolicy } from './headers.ts';
export type { ParsedProblem } from './parse-problem.ts';
export { parseProblem } from './parse-problem.ts';
export type {
  MachineOffer,
  PaymentTerms,
  ProblemDetails,
  ProblemDocument,
  ProblemInput,
  ProblemRetry,
  Quantity,
  UpgradeOption,
} from './problem-document.ts';
export { PROBLEM_SCHEMA_PATH, PROBLEM_VERSION } from './problem-document.ts';
export { PROBLEM_SCHEMA } from './problem-schema.ts';
export { buildProblem } from './problem.ts';

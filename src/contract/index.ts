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
export type { CodeAlias } from './code-aliases.ts';
export { CODE_ALIASES, resolveCodeAlias } from './code-aliases.ts';
export type { CustomisationFault } from './check-customisation.ts';
export { checkCustomisation } from './check-customisation.ts';
export type {
  CompiledCustomisations,
  CustomisationRule,
  CustomText,
  ProblemCustomisation,
} from './customisation.ts';
export { compileCustomisations, customiseProblem } from './customisation.ts';
export type { JsonRpcCall, ProblemDialect, ProblemForm, RenderedProblem } from './dialects.ts';
export { renderProblem, renderProblemEvent } from './dialects.ts';
export type {
  HeaderList,
  ProblemHeaderOptions,
  RateLimitPolicy,
  RateLimitReading,
  RateLimitTerms,
} from './headers.ts';
export { buildProblemHeaders, buildRateLimitHeaders, compileRateLimitPolicy } from './headers.ts';
export type { Language } from './languages.ts';
export { chooseLanguage, LANGUAGES } from './languages.ts';
export type { ParsedProblem } from './parse-problem.ts';
export { parseProblem } from './parse-problem.ts';
export type {
  DeclineReason,
  InvoiceNote,
  LimitScope,
  MachineOffer,
  PaymentTerms,
  ProblemBrand,
  ProblemDetails,
  ProblemDocument,
  ProblemInput,
  ProblemRetry,
  Quantity,
  UpgradeOption,
  UpstreamNote,
  Verification,
} from './problem-document.ts';
export {
  DECLINE_REASONS,
  LIMIT_SCOPES,
  PROBLEM_SCHEMA_PATH,
  PROBLEM_VERSION,
  VERIFICATIONS,
} from './problem-document.ts';
export { chooseForm } from './problem-form.ts';
export { PROBLEM_SCHEMA } from './problem-schema.ts';
export { buildProblem } from './problem.ts';
export { readProblem } from './read-problem.ts';

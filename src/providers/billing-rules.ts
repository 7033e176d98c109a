import type { BillingErrorKind } from './billing-errors.ts';

/** One way in which one provider says one thing. All given conditions must hold. */
export interface BillingRule {
  readonly kind: BillingErrorKind;
  /** Id of provider-directory.ts, or the name of a gateway; absent = many say it so. */
  readonly provider?: string;
  readonly status?: readonly number[];
  /** Any of these, lower case: code, type, reason, wherever the provider puts it. */
  readonly codes?: readonly string[];
  readonly message?: RegExp;
}

/** Words that decide because the provider sends no code for it. */
const BY_WORDS: readonly BillingRule[] = [
  { kind: 'credit_exhausted', provider: 'anthropic', message: /^Your credit balance is too low/ },
  {
    kind: 'spend_limit',
    provider: 'anthropic',
    message: /^You have reached your specified (workspace )?API usage limits/,
  },
  {
    kind: 'suspect_402',
    status: [402],
    codes: ['server_error'],
    message: /^Upstream request failed/,
  },
  {
    kind: 'credit_exhausted',
    provider: 'xai',
    message: /used all available credits or reached its monthly spending limit/,
  },
  {
    kind: 'plan_quota_exhausted',
    provider: 'huggingface',
    message: /exceeded your monthly included credits/,
  },
  {
    kind: 'credit_exhausted',
    provider: 'fireworks',
    status: [402],
    message: /^Account is not on a paid plan or has exceeded usage limits/,
  },
  {
    kind: 'account_suspended',
    provider: 'fireworks',
    status: [412],
    message: /^Account \S+ is suspended/,
  },
  {
    kind: 'credit_exhausted',
    provider: 'cohere',
    status: [402],
    message: /dashboard\.cohere\.com\/billing/,
  },
  {
    kind: 'credit_exhausted',
    provider: 'openrouter',
    status: [402],
    message: /openrouter\.ai\/(settings\/)?credits/,
  },
  {
    kind: 'credit_exhausted',
    provider: 'google',
    status: [402],
    message: /^Your Prepay credit balance is depleted/,
  },
  {
    kind: 'plan_quota_exhausted',
    provider: 'google',
    status: [429],
    message: /^Quota exceeded for quota metric .* per day/,
  },
  {
    kind: 'rate_limited',
    provider: 'azure',
    status: [429],
    message: /Azure OpenAI API version .* have exceeded/,
  },
  { kind: 'bad_request', status: [403], message: /^Input token count \+ max_tokens/ },
  {
    kind: 'credit_exhausted',
    provider: 'deepseek',
    status: [402],
    message: /^Insufficient Balance$/,
  },
  {
    kind: 'credit_exhausted',
    provider: 'replicate',
    status: [402],
    message: /replicate\.com\/account\/billing/,
  },
  {
    kind: 'credit_exhausted',
    provider: 'stability',
    status: [402],
    message: /platform\.stability\.ai\/account\/credits/,
  },
  { kind: 'downstream_balance', provider: 'higress', message: /^Request denied by ai quota check/ },
  { kind: 'rate_limited', provider: 'apinto', message: /^\[rate_limiting\]/ },
  { kind: 'budget_backend_down', provider: 'litellm', message: /^Budget enforcement unavailable/ },
  { kind: 'downstream_budget', provider: 'tensorzero', message: /^TensorZero rate limit .*`cost`/ },
  { kind: 'downstream_budget', provider: 'one-api', message: /^该令牌额度已用尽/ },
  {
    kind: 'downstream_budget',
    status: [412, 429],
    message: /^budget (has been )?(exceeded|exhausted)$/i,
  },
];

const BY_CODE: readonly BillingRule[] = [
  { kind: 'l402_challenge', status: [402], codes: ['l402'] },
  { kind: 'x402_challenge', status: [402], codes: ['x402'] },
  { kind: 'tier_cap', provider: 'anthropic', codes: ['enforced_spend_limit_reached'] },
  { kind: 'credit_exhausted', provider: 'anthropic', codes: ['billing_error'] },
  { kind: 'in_flight_budget', provider: 'openrouter', codes: ['in_flight_budget_exhausted'] },
  { kind: 'request_exceeds_balance', provider: 'openrouter', codes: ['weight_exceeds_budget'] },
  { kind: 'credit_exhausted', provider: 'openrouter', codes: ['openrouter_credits'] },
  {
    kind: 'spend_limit',
    provider: 'openai',
    codes: ['organization_spend_limit_exceeded', 'project_spend_limit_exceeded'],
  },
  { kind: 'tier_cap', provider: 'openai', codes: ['organization_usage_limit_exceeded'] },
  { kind: 'credit_exhausted', provider: 'openai', codes: ['credit_balance_exhausted'] },
  { kind: 'credit_exhausted', provider: 'openai', status: [429], codes: ['insufficient_quota'] },
  {
    kind: 'credit_exhausted',
    provider: 'perplexity',
    status: [401],
    codes: ['insufficient_quota'],
  },
  { kind: 'credit_exhausted', provider: 'moonshot', codes: ['exceeded_current_quota_error'] },
  { kind: 'overloaded', provider: 'moonshot', codes: ['engine_overloaded_error'] },
  { kind: 'credit_exhausted', provider: 'dashscope', codes: ['arrearage', 'prepaidbilloverdue'] },
  { kind: 'payment_overdue', provider: 'volcengine', codes: ['accountoverdueerror'] },
  { kind: 'payment_overdue', provider: 'hunyuan', codes: ['resourceunavailable.inarrears'] },
  { kind: 'credit_exhausted', provider: 'novita', codes: ['not_enough_balance'] },
  { kind: 'credit_exhausted', provider: 'minimax', status: [200], codes: ['1008'] },
  { kind: 'rate_limited', provider: 'minimax', status: [200], codes: ['1002'] },
  { kind: 'credit_exhausted', provider: 'zhipu', status: [429], codes: ['1113'] },
  { kind: 'account_suspended', provider: 'zhipu', status: [429], codes: ['1112'] },
  { kind: 'plan_quota_exhausted', provider: 'zhipu', status: [429], codes: ['1304'] },
  { kind: 'rate_limited', provider: 'zhipu', status: [429], codes: ['1302', '1303', '1305'] },
  { kind: 'credit_exhausted', provider: 'zhinao', status: [401], codes: ['1004'] },
  { kind: 'credit_exhausted', provider: 'elevenlabs', status: [401], codes: ['quota_exceeded'] },
  { kind: 'credit_exhausted', provider: 'stepfun', status: [402], codes: ['quota_exceeded'] },
  { kind: 'credit_exhausted', provider: 'siliconflow', status: [402], codes: ['30001'] },
  { kind: 'credit_exhausted', provider: 'opencode', codes: ['creditserror'] },
  { kind: 'plan_quota_exhausted', provider: 'bedrock', codes: ['servicequotaexceededexception'] },
  { kind: 'rate_limited', provider: 'bedrock', codes: ['throttlingexception'] },
  { kind: 'spend_limit', provider: 'groq', codes: ['blocked_api_access'] },
  { kind: 'spend_limit', provider: 'xai', codes: ['personal-team-blocked:spending-limit'] },
  {
    kind: 'credit_exhausted',
    provider: 'mistral',
    status: [402],
    codes: ['payment_required'],
    message: /mistral\.ai/,
  },
  { kind: 'spend_limit', provider: 'mastra', status: [402], codes: ['spend_limit_reached'] },
  { kind: 'downstream_budget', provider: 'merge', codes: ['project_budget_exceeded'] },
  { kind: 'downstream_budget', provider: 'new-api', codes: ['pre_consume_token_quota_failed'] },
  { kind: 'downstream_balance', provider: 'one-api', codes: ['insufficient_user_quota'] },
  { kind: 'downstream_budget', codes: ['budget_exceeded'] },
  {
    kind: 'rate_limited',
    codes: ['token_limited', 'rate_limit_exceeded', 'rate_limit_error', 'rate_limited'],
  },
  { kind: 'overloaded', codes: ['overloaded_error'] },
];

/** What the status alone says, when no rule knew better: the least that is certain. */
const BY_STATUS: readonly BillingRule[] = [
  { kind: 'credit_exhausted', status: [402] },
  { kind: 'rate_limited', status: [429] },
  { kind: 'overloaded', status: [503, 529] },
  { kind: 'auth', status: [401, 403] },
  { kind: 'bad_request', status: [400, 404, 405, 413, 415, 422] },
];

/** In the order they are asked: the first that holds decides. */
export const BILLING_RULES: readonly BillingRule[] = [...BY_WORDS, ...BY_CODE, ...BY_STATUS];

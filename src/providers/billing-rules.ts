import type { BillingErrorKind } from './billing-errors.ts';
import { BY_COMMON_WORDS } from './billing-fallbacks.ts';
import { BY_WORDS } from './billing-phrases.ts';

/** One way in which one provider says one thing. All given conditions must hold. */
export interface BillingRule {
  readonly kind: BillingErrorKind;
  /** Id of provider-directory.ts, or the name of a gateway; absent = many say it so. */
  readonly provider?: string;
  readonly status?: readonly number[];
  /** Any of these, lower case: code, type, reason, wherever the provider puts it. */
  readonly codes?: readonly string[];
  /** For codes with a part that varies. */
  readonly codeLike?: RegExp;
  readonly message?: RegExp;
}

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
    provider: 'openrouter',
    codeLike: /^openrouter_(key_limit|(workspace|guardrail)(_budget)?)$/,
  },
  {
    kind: 'spend_limit',
    provider: 'openai',
    codes: ['organization_spend_limit_exceeded', 'project_spend_limit_exceeded'],
  },
  { kind: 'tier_cap', provider: 'openai', codes: ['organization_usage_limit_exceeded'] },
  { kind: 'credit_exhausted', provider: 'openai', codes: ['credit_balance_exhausted'] },
  { kind: 'account_inactive', provider: 'openai', codes: ['billing_not_active'] },
  { kind: 'spend_limit', provider: 'openai', codes: ['billing_hard_limit_reached'] },
  { kind: 'credit_exhausted', provider: 'openai', status: [429], codes: ['insufficient_quota'] },
  {
    kind: 'credit_exhausted',
    provider: 'perplexity',
    status: [401],
    codes: ['insufficient_quota'],
  },
  { kind: 'account_inactive', provider: 'google', status: [403], codes: ['billing_disabled'] },
  {
    kind: 'plan_quota_exhausted',
    provider: 'google',
    status: [429],
    codeLike: /^generate.*perday/,
  },
  { kind: 'credit_exhausted', provider: 'moonshot', codes: ['exceeded_current_quota_error'] },
  { kind: 'overloaded', provider: 'moonshot', codes: ['engine_overloaded_error'] },
  { kind: 'credit_exhausted', provider: 'dashscope', codes: ['arrearage'] },
  {
    kind: 'payment_overdue',
    provider: 'dashscope',
    codes: ['prepaidbilloverdue', 'postpaidbilloverdue'],
  },
  {
    kind: 'not_purchased',
    provider: 'dashscope',
    codes: ['commoditynotpurchased', 'accessdenied.unpurchased'],
  },
  {
    kind: 'plan_quota_exhausted',
    provider: 'dashscope',
    codes: ['allocationquota.freetieronly'],
  },
  {
    kind: 'payment_overdue',
    provider: 'volcengine',
    codes: ['accountoverdueerror', 'serviceoverdue'],
  },
  { kind: 'spend_limit', provider: 'volcengine', codes: ['setlimitexceeded'] },
  { kind: 'plan_quota_exhausted', provider: 'volcengine', status: [429], codes: ['quotaexceeded'] },
  { kind: 'not_purchased', provider: 'volcengine', codes: ['modelnotopen'] },
  {
    kind: 'payment_overdue',
    provider: 'hunyuan',
    codes: ['resourceunavailable.inarrears', 'failedoperation.servicestoparrears'],
  },
  {
    kind: 'credit_exhausted',
    provider: 'hunyuan',
    codes: ['resourceunavailable.lowbalance', 'resourceinsufficient.chargeresourceexhaust'],
  },
  {
    kind: 'plan_quota_exhausted',
    provider: 'hunyuan',
    codes: ['failedoperation.resourcepackexhausted', 'failedoperation.freeresourcepackexhausted'],
  },
  { kind: 'account_suspended', provider: 'hunyuan', codes: ['resourceunavailable.stopusing'] },
  { kind: 'not_purchased', provider: 'hunyuan', codes: ['failedoperation.servicenotactivated'] },
  { kind: 'rate_limited', provider: 'hunyuan', codeLike: /^requestlimitexceeded(\.|$)/ },
  { kind: 'payment_overdue', provider: 'qianfan', codes: ['account_overdue'] },
  { kind: 'credit_exhausted', provider: 'novita', codes: ['not_enough_balance'] },
  { kind: 'credit_exhausted', provider: 'minimax', status: [200], codes: ['1008'] },
  { kind: 'credit_exhausted', provider: 'minimax', codes: ['insufficient_balance_error'] },
  { kind: 'plan_quota_exhausted', provider: 'minimax', status: [200], codes: ['2056'] },
  { kind: 'rate_limited', provider: 'minimax', status: [200], codes: ['1002', '1039'] },
  { kind: 'auth', provider: 'minimax', status: [200], codes: ['1004'] },
  { kind: 'credit_exhausted', provider: 'zhipu', status: [429], codes: ['1113'] },
  { kind: 'account_suspended', provider: 'zhipu', status: [429], codes: ['1112'] },
  {
    kind: 'plan_quota_exhausted',
    provider: 'zhipu',
    status: [429],
    codes: ['1304', '1308', '1310'],
  },
  { kind: 'payment_overdue', provider: 'zhipu', status: [429], codes: ['1309'] },
  { kind: 'not_purchased', provider: 'zhipu', status: [429], codes: ['1311'] },
  { kind: 'rate_limited', provider: 'zhipu', status: [429], codes: ['1302', '1303', '1305'] },
  { kind: 'credit_exhausted', provider: 'zhinao', status: [401], codes: ['1004'] },
  { kind: 'plan_quota_exhausted', provider: 'zhinao', status: [401], codes: ['1006'] },
  { kind: 'credit_exhausted', provider: 'elevenlabs', status: [401], codes: ['quota_exceeded'] },
  { kind: 'payment_overdue', provider: 'elevenlabs', status: [401], codes: ['payment_issue'] },
  { kind: 'credit_exhausted', provider: 'stepfun', status: [402], codes: ['quota_exceeded'] },
  {
    kind: 'credit_exhausted',
    provider: 'siliconflow',
    status: [402, 403],
    codes: ['30001', '30011'],
  },
  { kind: 'credit_exhausted', provider: 'opencode', codes: ['creditserror'] },
  { kind: 'plan_quota_exhausted', provider: 'opencode', codes: ['freeusagelimiterror'] },
  { kind: 'plan_quota_exhausted', provider: 'bedrock', codes: ['servicequotaexceededexception'] },
  { kind: 'rate_limited', provider: 'bedrock', codes: ['throttlingexception'] },
  { kind: 'spend_limit', provider: 'groq', codes: ['blocked_api_access'] },
  { kind: 'account_suspended', provider: 'groq', codes: ['organization_restricted'] },
  { kind: 'payment_method_invalid', provider: 'vercel', codes: ['customer_verification_required'] },
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
  {
    kind: 'downstream_balance',
    provider: 'sub2api',
    status: [403],
    codes: ['insufficient_balance'],
  },
  { kind: 'downstream_quota', provider: 'apigee', codes: ['policies.ratelimit.quotaviolation'] },
  // Whoever answers it, under whatever status.
  { kind: 'credit_exhausted', codes: ['insufficient_quota', 'local:insufficient_quota'] },
  {
    kind: 'policy_block',
    status: [400, 403],
    codes: [
      'content_filter',
      'content_policy_violation',
      'datainspectionfailed',
      'data_inspection_failed',
    ],
  },
  { kind: 'policy_block', provider: 'zhipu', status: [400], codes: ['1301'] },
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
export const BILLING_RULES: readonly BillingRule[] = [
  ...BY_WORDS,
  ...BY_CODE,
  ...BY_COMMON_WORDS,
  ...BY_STATUS,
];

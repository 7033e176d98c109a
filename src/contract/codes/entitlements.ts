import type { CodeRow } from '../code-row.ts';

/**
 * What a plan or purchase includes. Each comes twice: 402 when something on sale would pass the step
 * for this caller, 403 when nothing would (C402-15).
 */
export const ENTITLEMENT_CODES = {
  MODEL_NOT_IN_PLAN: {
    status: 402,
    financial: true,
    retryKind: 'never_until_action',
    actions: ['upgrade_plan', 'contact_admin'],
    title: 'Model not in your plan',
    sentence:
      '[The model {model} is not part of the {current_plan} plan|The model {model} is not part of your plan|This model is not part of your plan]. [Upgrade to {upgrade} to use it|Upgrade to a plan that includes it]',
  },
  FEATURE_NOT_IN_PLAN: {
    status: 402,
    financial: true,
    retryKind: 'never_until_action',
    actions: ['upgrade_plan', 'contact_admin'],
    title: 'Feature not in your plan',
    sentence:
      '[Your subscription tier does not support this feature: {feature} requires {an_upgrade} subscription|Your subscription tier does not support the feature {feature}|Your subscription tier does not support this feature]. [Upgrade to {upgrade} to use it|Upgrade to a plan that includes it]',
  },
  MCP_CONTEXT_LIMIT_EXCEEDED: {
    status: 402,
    financial: true,
    retryKind: 'never_until_action',
    actions: ['upgrade_plan', 'contact_admin'],
    title: 'Context larger than your plan allows',
    sentence:
      "[The context of this request ({needed} tokens) exceeds your current plan's limit ({allowed_usage} tokens)|The context of this request exceeds your current plan's limit]. [Upgrade to {upgrade} or shorten the input|Upgrade to a plan with a larger context window or shorten the input]",
  },
  FILE_SIZE_NOT_IN_PLAN: {
    status: 402,
    financial: true,
    retryKind: 'never_until_action',
    actions: ['upgrade_plan', 'contact_admin'],
    title: 'File larger than your plan allows',
    sentence:
      '[The file of {needed} is larger than the {allowed_size} of the {current_plan} plan|The file is larger than the {allowed_size} of the {current_plan} plan|The file is larger than the {allowed_size} of your plan|The file is larger than your plan allows]. [Upgrade to {upgrade} or send a smaller file|Upgrade to a plan for larger files or send a smaller one]',
  },
  PURCHASE_REQUIRED: {
    status: 402,
    financial: true,
    retryKind: 'never_until_action',
    actions: ['buy_credits', 'contact_admin'],
    title: 'Has to be bought first',
    sentence:
      '[{resource} is sold separately and has not been bought|This content is sold separately and has not been bought]. [Buy it for {price}, then retry|Buy it, then retry]',
  },
  MODEL_NOT_AVAILABLE: {
    status: 403,
    financial: false,
    retryKind: 'never_until_action',
    actions: ['contact_admin'],
    title: 'Model not available to you',
    sentence:
      '[The model {model} is not open to this account|This model is not open to this account], and no plan on sale includes it. Use another model, or ask the provider',
  },
  FEATURE_NOT_AVAILABLE: {
    status: 403,
    financial: false,
    retryKind: 'never_until_action',
    actions: ['contact_admin'],
    title: 'Feature not available to you',
    sentence:
      '[The feature {feature} is not open to this account|This feature is not open to this account], and no plan on sale includes it. Ask the provider',
  },
  CONTEXT_SIZE_NOT_AVAILABLE: {
    status: 403,
    financial: false,
    retryKind: 'never_until_action',
    actions: ['fix_request', 'contact_admin'],
    title: 'Context larger than any plan allows',
    sentence:
      '[The context of this request ({needed} tokens) exceeds the limit of your account ({allowed_usage} tokens)|The context of this request exceeds the limit of your account], and no plan on sale allows more. Shorten the input, or ask the provider',
  },
  FILE_SIZE_NOT_AVAILABLE: {
    status: 403,
    financial: false,
    retryKind: 'never_until_action',
    actions: ['fix_request', 'contact_admin'],
    title: 'File larger than any plan allows',
    sentence:
      '[The file of {needed} is larger than the {allowed_size} this account may send|The file is larger than the {allowed_size} this account may send|The file is larger than this account may send], and no plan on sale allows more. Send a smaller file, or ask the provider',
  },
} as const satisfies Record<string, CodeRow>;

import type { Code } from '../../contract/codes.ts';
import type { ProblemDetails } from '../../contract/problem-document.ts';
import { omitUndefined, type RefusalDescription } from './refusal-description.ts';

/** What no payment opens: what the key lacks, or where it comes from (GW-14, KEY-02, KEY-04). */
export function describePermission(description: RefusalDescription): ProblemDetails {
  const { refusal, code } = description;
  return refusal.step === 'authorize' ? (DETAILS[code]?.(description) ?? {}) : {};
}

const DETAILS: { readonly [code in Code]?: (from: RefusalDescription) => ProblemDetails } = {
  KEY_PERMISSION_DENIED: ({ facts }) => omitUndefined({ permission: facts.authorization?.pointer }),
  KEY_ADDRESS_NOT_ALLOWED: ({ exchange }) => omitUndefined({ address: exchange.address }),
  KEY_ENVIRONMENT_MISMATCH: ({ exchange: { access, api } }) =>
    omitUndefined({ key_environment: access?.key.environment, environment: api?.environment }),
  FORBIDDEN_ROLE: ({ exchange: { access, route } }) =>
    omitUndefined({
      role: access?.key.terms.roles.join(', ') || undefined,
      required_role: route?.role,
    }),
  FORBIDDEN_POLICY: ({ exchange }) => ({
    policy: 'addresses',
    ...omitUndefined({ address: exchange.address }),
  }),
  SUBSCRIPTION_PENDING_APPROVAL: ({ facts }) => omitUndefined({ api: facts.route?.apiId }),
};

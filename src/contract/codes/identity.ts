import type { CodeRow } from '../code-row.ts';

/** Who calls (401), and what no payment opens to them (403). */
export const IDENTITY_CODES = {
  KEY_MISSING: {
    status: 401,
    financial: false,
    retryKind: 'never_until_action',
    actions: ['authenticate'],
    title: 'API key missing',
    sentence: 'No API key was sent. Send yours as Authorization: Bearer <key>',
  },
  KEY_UNKNOWN: {
    status: 401,
    financial: false,
    retryKind: 'never_until_action',
    actions: ['authenticate', 'contact_admin'],
    title: 'API key unknown',
    sentence:
      '[{reason}|The API key sent is not known here]. Check that it was copied whole and belongs to this gateway',
    bearerError: 'invalid_token',
  },
  KEY_REVOKED: {
    status: 401,
    financial: false,
    retryKind: 'never_until_action',
    actions: ['authenticate', 'contact_admin'],
    title: 'API key revoked',
    sentence:
      'This API key was revoked[ on {revoked}]. Use another key, or ask the owner of the account for a new one',
    bearerError: 'invalid_token',
  },
  KEY_EXPIRED: {
    status: 401,
    financial: false,
    retryKind: 'never_until_action',
    actions: ['authenticate', 'contact_admin'],
    title: 'API key expired',
    sentence:
      'This API key expired[ on {expired}]. Use another key, or ask the owner of the account for a new one',
    bearerError: 'invalid_token',
  },
  ADMIN_TOKEN_INVALID: {
    status: 401,
    financial: false,
    retryKind: 'never_until_action',
    actions: ['authenticate'],
    title: 'Admin token missing or wrong',
    sentence:
      'The admin API needs its token. Send the content of the file admin.token in the data directory as Authorization: Bearer <token>',
    bearerError: 'invalid_token',
  },
  KEY_ENVIRONMENT_MISMATCH: {
    status: 403,
    financial: false,
    retryKind: 'never_until_action',
    actions: ['authenticate', 'contact_admin'],
    title: 'Key of another environment',
    sentence:
      '[This is a {key_environment} key, and this address is the {environment} environment|This key belongs to another environment than this address]. Use a key of this environment',
  },
  KEY_PERMISSION_DENIED: {
    status: 403,
    financial: false,
    retryKind: 'never_until_action',
    actions: ['contact_admin'],
    title: 'Not permitted to this key',
    sentence:
      '[This key has no permission for {permission}|This key has no permission for this call]. Use a key that has it, or ask the owner of this one',
  },
  KEY_ADDRESS_NOT_ALLOWED: {
    status: 403,
    financial: false,
    retryKind: 'never_until_action',
    actions: ['contact_admin'],
    title: 'Key not allowed from this address',
    sentence:
      '[This key may not be used from {address}|This key may not be used from this address]. Call from an address on its list, or ask its owner to add this one',
  },
  FORBIDDEN_ROLE: {
    status: 403,
    financial: false,
    retryKind: 'never_until_action',
    actions: ['contact_admin'],
    title: 'Not allowed to your role',
    sentence:
      '[The role {role} may not do this, {required_role} may|The role {role} may not do this|Your role may not do this]. Ask an owner of the account',
  },
  FORBIDDEN_POLICY: {
    status: 403,
    financial: false,
    retryKind: 'never_until_action',
    actions: ['contact_admin'],
    title: 'Forbidden by policy',
    sentence:
      '[The policy {policy} forbids this call|A policy of the provider forbids this call], and no payment changes that. Ask the provider',
  },
  SUBSCRIPTION_PENDING_APPROVAL: {
    status: 403,
    financial: false,
    retryKind: 'never_until_action',
    actions: ['contact_admin'],
    title: 'Access waits for approval',
    sentence:
      '[Your access to {api} has been waiting for approval since {requested}|Your access to {api} is waiting for approval|Your access is waiting for approval]. Call again once an administrator has approved it',
  },
  ACCOUNT_SUSPENDED: {
    status: 403,
    financial: false,
    retryKind: 'never_until_action',
    actions: ['contact_support'],
    title: 'Account suspended',
    sentence:
      'This account is suspended[ ({reason})], and no payment changes that. Ask the provider why and what lifts it',
  },
  ACCOUNT_UNVERIFIED: {
    status: 403,
    financial: false,
    retryKind: 'never_until_action',
    actions: ['verify_account', 'contact_support'],
    title: 'Account not verified',
    sentence:
      '[{verification} of this account has not been verified|This account has not been verified]. Verify it, and access opens at once',
  },
  HOST_NOT_ALLOWED: {
    status: 403,
    financial: false,
    retryKind: 'never_until_action',
    actions: ['fix_request'],
    title: 'Host or origin not allowed',
    sentence:
      '[The admin API does not answer to {host}|The admin API does not answer to this host or origin]. Call it by the address it listens on',
  },
} as const satisfies Record<string, CodeRow>;

import { expect, test } from 'vitest';

import { CODE_ALIASES, resolveCodeAlias } from './code-aliases.ts';
import { isCode } from './codes.ts';

const ALIASES = Object.entries(CODE_ALIASES);

test.each(ALIASES)('%s is no code of its own and leads to %s', (alias, code) => {
  expect(isCode(alias)).toBe(false);
  expect(isCode(code)).toBe(true);
  expect(resolveCodeAlias(alias)).toBe(code);
});

test.each([
  'PAYMENT_REQUIRED_EXPIRED_SUB',
  'PAYMENT_EXPIRED_CARD',
  'USAGE_LIMIT_EXCEEDED_MCP',
  'ERR_INSUFFICIENT_FUNDS',
  'ERR_PLAN_LIMIT_EXCEEDED',
])('C402-02: the name %s in circulation is known', (alias) => {
  expect(resolveCodeAlias(alias)).toBeDefined();
});

test.each(['INSUFFICIENT_CREDITS', 'toString', 'err_insufficient_funds', ''])(
  '%s is no alias',
  (name) => {
    expect(resolveCodeAlias(name)).toBeUndefined();
  },
);

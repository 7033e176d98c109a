import fc from 'fast-check';
import { expect, it } from 'vitest';

import { signExplainLink, signPayLink, verifyExplainLink, verifyPayLink } from './signed-links.ts';

const SECRET = new Uint8Array(32).fill(7);
const OTHER = new Uint8Array(32).fill(8);
const TENANT = 'ten_0199e0a7c3f87a1b8c2d3e4f5a6b7c8d';
const LINK = { tenantId: TENANT, cause: 'INSUFFICIENT_CREDITS' };

it('DESIGN 10: one link per tenant and cause, and it fits into a sentence', () => {
  const link = signPayLink(LINK, SECRET);
  expect(signPayLink({ ...LINK }, SECRET)).toBe(link);
  expect(link).toMatch(/^pl_[\w-]{71}$/);
  expect(verifyPayLink(link, SECRET)).toEqual({ ...LINK, amountNano: undefined });
});

const causes = fc.stringMatching(/^[A-Z0-9_]{1,64}$/);
const tenants = fc.oneof(
  fc.stringMatching(/^ten_[0-9a-f]{32}$/),
  fc.string({ minLength: 1, maxLength: 64 }).filter((id) => Buffer.byteLength(id) <= 64),
);

it('gives back what was signed, and to nobody with another secret', () => {
  fc.assert(
    fc.property(
      tenants,
      causes,
      fc.option(fc.bigInt({ min: 0n, max: 2n ** 63n }), { nil: undefined }),
      (tenantId, cause, amountNano) => {
        const token = signPayLink(
          { tenantId, cause, ...(amountNano === undefined ? {} : { amountNano }) },
          SECRET,
        );
        expect(verifyPayLink(token, SECRET)).toEqual({ tenantId, cause, amountNano });
        expect(verifyPayLink(token, OTHER)).toBeUndefined();
      },
    ),
  );
});

it('a changed character anywhere is refused', () => {
  const link = signPayLink({ ...LINK, amountNano: 42n }, SECRET);
  for (let index = 0; index < link.length; index += 1) {
    for (const character of ['A', 'z', '=', '%', '']) {
      const forged = link.slice(0, index) + character + link.slice(index + 1);
      expect(forged === link || verifyPayLink(forged, SECRET) === undefined).toBe(true);
    }
  }
});

it.each([
  ['', 'pl_', 'pl_A', 'pl_!!!', `pl_${'A'.repeat(22)}`, `pl_${'A'.repeat(100_000)}`, TENANT],
])('refuses %s', (token) => {
  expect(verifyPayLink(token, SECRET)).toBeUndefined();
});

it.each([
  ['no tenant', { tenantId: '', cause: 'X' }],
  ['a cause that is no code', { tenantId: TENANT, cause: 'not a code' }],
  ['a tenant id beyond the bound', { tenantId: 'x'.repeat(300), cause: 'X' }],
])('does not sign %s', (_title, link) => {
  expect(() => signPayLink(link, SECRET)).toThrow(RangeError);
});

it('an explain link opens one request only, and no pay link stands in for it', () => {
  const signature = signExplainLink('req_1', SECRET);
  expect(signature).toMatch(/^[\w-]{22}$/);
  expect(verifyExplainLink('req_1', signature, SECRET)).toBe(true);
  expect(verifyExplainLink('req_2', signature, SECRET)).toBe(false);
  expect(verifyExplainLink('req_1', signature, OTHER)).toBe(false);
  for (const forged of ['', `${signature}A`, signature.slice(1), `${signature}=`, 'é'.repeat(22)]) {
    expect(verifyExplainLink('req_1', forged, SECRET)).toBe(false);
  }
});

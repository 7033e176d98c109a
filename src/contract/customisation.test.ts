import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';

import { checkCustomisation } from './check-customisation.ts';
import { CODES } from './codes.ts';
import type { Code } from './codes.ts';
import { compileCustomisations, customiseProblem } from './customisation.ts';
import type { CustomisationRule, ProblemCustomisation } from './customisation.ts';
import { renderProblem } from './dialects.ts';
import { LANGUAGES } from './languages.ts';
import { buildProblem } from './problem.ts';
import type { ProblemInput } from './problem-document.ts';
import { PROBLEM_SCHEMA } from './problem-schema.ts';
import { readProblem } from './read-problem.ts';

type JsonSchema = Parameters<typeof z.fromJSONSchema>[0];
const validator = z.fromJSONSchema(structuredClone<unknown>(PROBLEM_SCHEMA) as JsonSchema);

const LINK = 'https://gate.example/pay/pl_1';
const INPUT: ProblemInput = {
  code: 'INVOICE_OVERDUE',
  requestId: 'req_1',
  baseUrl: 'https://gate.example',
  resolutionUrl: LINK,
  details: { invoices: [{ id: 'INV-1' }], amount_due: '49.00 USD' },
};
const WHO = { api: 'search', tenant: 'ten_1' };

function customise(rules: readonly CustomisationRule[], input: Partial<ProblemInput> = {}) {
  return customiseProblem(buildProblem({ ...INPUT, ...input }), compileCustomisations(rules), WHO);
}

describe('C402-11: what a provider may change', () => {
  test('nothing, and the document is the same', () => {
    const document = buildProblem(INPUT);
    expect(customiseProblem(document, compileCustomisations([]), WHO)).toBe(document);
  });

  test('title and message: code and link are behind it', () => {
    const document = customise([
      { title: '402 Account Overdue', message: 'Please pay [{amount_due}|what is open] to go on' },
    ]);
    expect(document.title).toBe('402 Account Overdue');
    expect(document.message).toBe(`Please pay 49.00 USD to go on (INVOICE_OVERDUE): ${LINK}`);
    expect(document.detail).toBe(document.message);
  });

  test('a message may have our sentence and the code in it', () => {
    const message = 'Acme says [{code}|]: [{sentence}|]. Ask us with [{request_id}|]';
    expect(customise([{ message }]).message).toBe(
      `Acme says INVOICE_OVERDUE: Outstanding invoices pending: INV-1, 49.00 USD in all. Pay, and access returns at once. Ask us with req_1: ${LINK}`,
    );
  });

  test('the link, with code and request id filled in; the message ends with it', () => {
    const document = customise([{ link: 'https://acme.example/fix?c={code}&r={request_id}' }]);
    const link = 'https://acme.example/fix?c=INVOICE_OVERDUE&r=req_1';
    expect(document).toMatchObject({ resolution_url: link, resolutionLink: link });
    expect(document.message).toBe(
      `Outstanding invoices pending: INV-1, 49.00 USD in all. Pay, and access returns at once: ${link}`,
    );
  });

  test('a path is one of this gateway', () => {
    const { message, resolution_url: link } = customise([{ link: '/help/{code}' }]);
    expect(link).toBe('https://gate.example/help/INVOICE_OVERDUE');
    expect(message.endsWith(`: ${link}`)).toBe(true);
  });

  test('more members and a brand, which the page shows', () => {
    const document = customise([
      { fields: { account_manager: 'Ada', level: 2 }, brand: { name: 'Acme', color: '#ff0000' } },
    ]);
    expect(document).toMatchObject({ account_manager: 'Ada', level: 2 });
    expect(renderProblem(document, 'html').body).toContain('<span>Acme</span>');
    expect(JSON.parse(renderProblem(document, 'anthropic').body)).toMatchObject({ level: 2 });
  });

  test('C402-27: each language has its own text, or that of the rule, and says which it is', () => {
    const rule: CustomisationRule = {
      title: 'Overdue',
      message: 'Please pay [{amount_due}|]',
      translations: { de: { title: 'Offen', message: 'Bitte zahlen Sie [{amount_due}|]' } },
    };
    const german = customise([rule], { language: 'de' });
    expect(german).toMatchObject({ title: 'Offen', language: 'de' });
    expect(german.message).toBe(`Bitte zahlen Sie 49,00 USD (INVOICE_OVERDUE): ${LINK}`);
    const spanish = customise([rule], { language: 'es' });
    expect(spanish.message).toBe(`Please pay 49.00 USD (INVOICE_OVERDUE): ${LINK}`);
    expect(spanish).not.toHaveProperty('language');
    const chinese = customise([{ ...rule, language: 'zh', message: '请付款' }]);
    expect(chinese).toMatchObject({
      language: 'zh',
      message: `请付款 (INVOICE_OVERDUE)：${LINK}`,
    });
  });
});

describe('C402-11: per service, tenant and cause', () => {
  const general: CustomisationRule = { title: 'general', brand: { name: 'Acme' } };

  test.each<[string, CustomisationRule, boolean]>([
    ['the API', { api: 'search' }, true],
    ['another API', { api: 'images' }, false],
    ['the tenant', { tenant: 'ten_1' }, true],
    ['another tenant', { tenant: 'ten_2' }, false],
    ['the code', { code: 'INVOICE_OVERDUE' }, true],
    ['another code', { code: 'KEY_MISSING' }, false],
    ['all three', { api: 'search', tenant: 'ten_1', code: 'INVOICE_OVERDUE' }, true],
    ['two of three', { api: 'search', tenant: 'ten_2', code: 'INVOICE_OVERDUE' }, false],
  ])('a rule for %s', (_case, scope, applies) => {
    const document = customise([{ ...scope, title: 'mine' }, general]);
    expect(document.title).toBe(applies ? 'mine' : 'general');
    expect(document.brand?.name).toBe('Acme');
  });

  test("a tenant's words win over an API's, these over a cause's, whatever their order", () => {
    const rules: readonly CustomisationRule[] = [
      { tenant: 'ten_1', title: 'tenant' },
      { code: 'INVOICE_OVERDUE', title: 'code', link: '/code' },
      { api: 'search', title: 'api', message: 'From the API' },
    ];
    fc.assert(
      fc.property(fc.shuffledSubarray([...rules], { minLength: 3 }), (shuffled) => {
        expect(customise(shuffled)).toMatchObject({
          title: 'tenant',
          message: 'From the API (INVOICE_OVERDUE): https://gate.example/code',
        });
      }),
    );
  });

  test('of two alike the later wins, and fields of both are there', () => {
    const document = customise([
      { title: 'first', fields: { a: 1, b: 1 } },
      { title: 'second', fields: { b: 2 } },
    ]);
    expect(document).toMatchObject({ title: 'second', a: 1, b: 2 });
  });

  test('what would break a body is not compiled', () => {
    expect(() => compileCustomisations([{ fields: { code: 'X' } }])).toThrow(
      'fields.code is a member of the contract',
    );
  });
});

test.each(Object.keys(CODES) as Code[])(
  '%s: no valid customisation breaks a required member, in any dialect or language',
  (code) => {
    const text = fc.record({
      title: fc.string({ minLength: 1 }),
      message: fc.constantFrom('Short', '[{subject} used it|Used up]', 'a [{sentence}|b] c'),
    });
    const customisation: fc.Arbitrary<ProblemCustomisation> = fc.record(
      {
        title: fc.string({ minLength: 1 }),
        message: fc.constantFrom('No', 'You [{code}|]', 'Pay [{price}|up]'),
        translations: fc.record({ de: text }),
        link: fc.constantFrom('/x', 'https://acme.example/{code}'),
        fields: fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.integer(), fc.boolean())),
        brand: fc.record({ name: fc.string({ minLength: 1 }) }),
      },
      { requiredKeys: [] },
    );
    const dialect = fc.constantFrom('plain', 'openai', 'anthropic', 'gemini', 'jsonrpc');
    fc.assert(
      fc.property(customisation, dialect, fc.constantFrom(...LANGUAGES), (rule, form, language) => {
        fc.pre(checkCustomisation(rule).length === 0);
        const original = buildProblem({ ...INPUT, code, language });
        const document = customiseProblem(original, compileCustomisations([rule]), WHO);
        const { body } = renderProblem(document, form as 'plain');
        expect(validator.safeParse(JSON.parse(body)).error).toBeUndefined();
        const { code: kept, status, action, retry, details } = original;
        expect(readProblem(body)).toMatchObject({ code: kept, status, action, retry, details });
        expect(document.message.endsWith(document.resolution_url)).toBe(true);
        expect(rule.message === undefined || document.message.includes(code)).toBe(true);
      }),
      { numRuns: 20 },
    );
  },
);

describe('a customisation that would break something is refused, field by field', () => {
  test.each<[string, ProblemCustomisation, string]>([
    ['an empty title', { title: ' ' }, 'title'],
    ['a title of two lines', { title: 'a\nb' }, 'title'],
    ['a title of 121 characters', { title: 'x'.repeat(121) }, 'title'],
    ['a message that says nothing without words', { message: '[{price}|]' }, 'message'],
    ['a message of two lines', { message: 'a\r\nb' }, 'message'],
    ['a message of 1,001 characters', { message: 'x'.repeat(1001) }, 'message'],
    ['a word outside brackets', { message: 'Pay {price}' }, 'message'],
    ['a bracket that is not closed', { message: 'Pay [now' }, 'message'],
    ['an unknown word', { message: 'Pay [{prize}|now]' }, 'message'],
    ['a translation', { translations: { de: { message: 'x {y}' } } }, 'translations.de.message'],
    ['a link that runs something', { link: 'javascript:alert(1)' }, 'link'],
    ['a link to another scheme', { link: '//evil.example' }, 'link'],
    ['a link with a line break', { link: 'https://a.example/\r\nX: 1' }, 'link'],
    ['a link with another placeholder', { link: 'https://a.example/{tenant}' }, 'link'],
    ['a link that ends its header', { link: 'https://a.example/>; rel="x"' }, 'link'],
    ['a link of 1,001 characters', { link: `/${'x'.repeat(1000)}` }, 'link'],
    ['a field called like ours', { fields: { code: 'X' } }, 'fields.code'],
    ['a field called like an optional one', { fields: { amount_sats: 1 } }, 'fields.amount_sats'],
    ['a field called like one of JSON-RPC', { fields: { jsonrpc: '1.0' } }, 'fields.jsonrpc'],
    ['a field of x402', { fields: { accepts: 'x' } }, 'fields.accepts'],
    ['a field with a bad name', { fields: { 'a b': 1 } }, 'fields.a b'],
    [
      'a field called __proto__',
      { fields: JSON.parse('{"__proto__":1}') as { x: 1 } },
      'fields.__proto__',
    ],
    ['a field that is no number', { fields: { a: Number.NaN } }, 'fields.a'],
    ['a field of 1,001 characters', { fields: { a: 'x'.repeat(1001) } }, 'fields.a'],
    [
      '21 fields',
      { fields: Object.fromEntries(Array.from({ length: 21 }, (_, index) => [`f${index}`, 1])) },
      'fields',
    ],
    ['a brand without a name', { brand: { name: '' } }, 'brand.name'],
    [
      'a logo over http',
      { brand: { name: 'A', logo_url: 'http://a.example/l' } },
      'brand.logo_url',
    ],
    ['a colour in words', { brand: { name: 'A', color: 'red;}' } }, 'brand.color'],
    [
      'a support link that runs something',
      { brand: { name: 'A', support_url: 'javascript:1' } },
      'brand.support_url',
    ],
  ])('%s', (_case, customisation, field) => {
    const faults = checkCustomisation(customisation);
    expect(faults.map((each) => each.field)).toEqual([field]);
    expect(faults[0]?.problem).toMatch(/\w{3,}/);
  });

  test('everything that is wrong is told at once', () => {
    const faults = checkCustomisation({ title: '', link: 'x', fields: { status: 200, type: 'x' } });
    expect(faults.map(({ field }) => field)).toEqual([
      'title',
      'link',
      'fields.status',
      'fields.type',
    ]);
  });

  test('what is right is let through', () => {
    const right: ProblemCustomisation = {
      title: '402 Plan Upgrade Required',
      message: 'You need [{an_upgrade}|a larger] plan',
      translations: { de: { title: 'Größerer Tarif nötig' } },
      link: '/plans?from={code}',
      fields: { ticket: 'https://acme.example/t?x=1', tier: 3, vip: true },
      brand: {
        name: 'Acme',
        logo_url: 'https://acme.example/logo.svg',
        color: '#0B57C2',
        support_url: 'mailto:help@acme.example',
      },
    };
    expect(checkCustomisation(right)).toEqual([]);
  });
});

import { expect, test } from 'vitest';

import * as contract from './index.ts';

test('the public entrance is enough to build, send and read a refusal', () => {
  const document = contract.buildProblem({
    code: 'INSUFFICIENT_CREDITS',
    requestId: 'req_1',
    baseUrl: 'https://gate.example',
  });
  const { contentType, body } = contract.renderProblem(document, 'plain');
  const headers = contract.buildProblemHeaders(document, { contentType });
  expect(headers).toContain(contract.PROBLEM_VERSION);
  const read = contract.parseProblem(JSON.parse(body));
  expect(read?.message).toBe(document.message);
  expect(contract.isCode(read?.code ?? '')).toBe(true);
});

test('the public entrance does not grow unseen', () => {
  expect(Object.keys(contract).toSorted()).toEqual([
    'CODES',
    'CODE_ALIASES',
    'DECLINE_REASONS',
    'LANGUAGES',
    'LIMIT_SCOPES',
    'OTHER_ACTIONS',
    'PAYMENT_ACTIONS',
    'PROBLEM_SCHEMA',
    'PROBLEM_SCHEMA_PATH',
    'PROBLEM_VERSION',
    'RETRY_KINDS',
    'STATUS_FAMILIES',
    'VERIFICATIONS',
    'buildProblem',
    'buildProblemHeaders',
    'buildRateLimitHeaders',
    'checkCustomisation',
    'chooseForm',
    'chooseLanguage',
    'compileCustomisations',
    'compileRateLimitPolicy',
    'customiseProblem',
    'isCode',
    'isRetryable',
    'parseProblem',
    'readProblem',
    'renderProblem',
    'renderProblemEvent',
    'resolveCodeAlias',
  ]);
});

import { readdirSync, readFileSync } from 'node:fs';

import { describe, expect, test } from 'vitest';

import { OTHER_ACTIONS, PAYMENT_ACTIONS, RETRY_KINDS, STATUS_FAMILIES } from './code-row.ts';
import { CODE_ALIASES } from './code-aliases.ts';
import { CODES } from './codes.ts';
import type { Code } from './codes.ts';
import { buildProblem } from './problem.ts';
import type { MachineOffer, ProblemDocument, ProblemInput } from './problem-document.ts';

const PAGES = new URL('../../docs/errors/', import.meta.url);
const CODE_NAMES = Object.keys(CODES) as Code[];

function readPage(name: string): string {
  return readFileSync(new URL(name, PAGES), 'utf8');
}

function readSample(page: string): ProblemDocument {
  const block = /```json\n([\s\S]*?)\n```/.exec(page);
  return JSON.parse(block?.[1] ?? 'null') as ProblemDocument;
}

/** What the gateway would have been told to answer this. The sentence and the links are not taken over. */
function recoverInput(sample: ProblemDocument): ProblemInput {
  const { details, retry, resolution_url: resolutionUrl, documentation_url: pageUrl } = sample;
  return {
    code: sample.code,
    requestId: sample.request_id,
    baseUrl: 'https://api.example.com',
    explainUrl: sample.instance,
    details,
    retryKind: retry.kind,
    ...(resolutionUrl === pageUrl ? {} : { resolutionUrl }),
    ...(retry.resets_at === undefined ? {} : { resetsAt: retry.resets_at }),
    ...(retry.retry_after_seconds === undefined
      ? {}
      : { retryAfterSeconds: retry.retry_after_seconds }),
    ...(sample.payment === undefined ? {} : { payment: sample.payment }),
    ...(sample.description === undefined ? {} : { offer: recoverOffer(sample) }),
  };
}

function recoverOffer({ amount_sats: sats, description, expires }: ProblemDocument): MachineOffer {
  return {
    ...(sats === undefined ? {} : { amountSats: sats }),
    description: description ?? '',
    expires: expires ?? '',
  };
}

test('DOC-02: one page per code and no other', () => {
  const pages = readdirSync(PAGES).filter((name) => name !== 'README.md');
  expect(pages.toSorted()).toEqual(CODE_NAMES.map((code) => `${code}.md`).toSorted());
});

describe.each(CODE_NAMES)('C402-08, DOC-02: the page of %s', (code) => {
  const page = readPage(`${code}.md`);
  const row = CODES[code];

  test('begins with the code and says what the registry says', () => {
    const [heading, , summary] = page.split('\n');
    const actions = row.actions.map((action) => `\`${action}\``).join(', ');
    expect(heading).toBe(`# ${code}`);
    expect(summary).toMatch(`${row.title}. Status ${row.status} `);
    expect(summary).toMatch(`. Retry: \`${row.retryKind}\`. Action: ${actions}.`);
  });

  test('answers the four questions, in words', () => {
    const sections = page.split(/^## /m).slice(1);
    const titles = sections.map((section) => section.split('\n')[0]);
    expect(titles.slice(0, 5)).toEqual([
      'What happened',
      'Is it my fault?',
      'What lifts it',
      'Will retrying help?',
      'Sample body',
    ]);
    for (const section of sections) expect(section.trim().split('\n').length).toBeGreaterThan(2);
  });

  test('shows the body that the gateway really sends', () => {
    const sample = readSample(page);
    expect(sample.code).toBe(code);
    expect(sample).toEqual(buildProblem(recoverInput(sample)));
  });

  test('shows the retry kind of the code', () => {
    expect(readSample(page).retry.kind).toBe(expectedKind(code));
  });

  test('C402-19: a 503 says after how long it is worth another try, as its page shows', () => {
    const { retry_after_seconds: shown } = readSample(page).retry;
    expect(row.retryAfterSeconds).toBe(row.status === 503 ? shown : undefined);
  });

  test('names what the code is called elsewhere', () => {
    const aliases = Object.entries(CODE_ALIASES).filter(([, target]) => target === code);
    expect(aliases.filter(([alias]) => !page.includes(`\`${alias}\``))).toEqual([]);
  });

  test('links only to pages that exist', () => {
    const links = [...page.matchAll(/\]\(([^)]+)\)/g)].map((match) => match[1] ?? '');
    const known = CODE_NAMES.map((name) => `${name}.md`);
    expect(links.filter((link) => !known.includes(link))).toEqual([]);
  });
});

/** The sample of SPENDING_LIMIT_REACHED is a key's budget, which has no reset. */
function expectedKind(code: Code): string {
  return code === 'SPENDING_LIMIT_REACHED' ? 'never_until_action' : CODES[code].retryKind;
}

describe('DOC-03, C402-26: the overview', () => {
  const overview = readPage('README.md');

  test.each(CODE_NAMES)('lists %s as the registry has it', (code) => {
    const { status, title, retryKind } = CODES[code];
    expect(overview).toContain(
      `| [${code}](${code}.md) | ${status} | ${title} | \`${retryKind}\` |`,
    );
  });

  test('compares every status the gateway answers with', () => {
    const table = overview.slice(0, overview.indexOf('## Codes'));
    const rows = table.match(/^\| [45]\d\d.*/gm) ?? [];
    const statuses = rows.flatMap((row) => row.split('|')[1]?.match(/\d{3}/g) ?? []);
    expect(statuses.toSorted()).toEqual(Object.keys(STATUS_FAMILIES));
  });

  test('describes every member of the body, every action and every retry kind', () => {
    const sample = readSample(readPage('INSUFFICIENT_CREDITS.md'));
    const optional = ['amount_sats', 'description', 'expires', 'language', 'brand'];
    const actions = [...PAYMENT_ACTIONS, ...OTHER_ACTIONS];
    const names = [...Object.keys(sample), ...optional, ...actions, ...RETRY_KINDS];
    expect(names.filter((name) => !overview.includes(`\`${name}\``))).toEqual([]);
  });
});

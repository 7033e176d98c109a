import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { CODES } from './codes.ts';
import type { Code } from './codes.ts';
import { findSource, PHRASEBOOKS, TRANSLATIONS } from './code-texts.ts';
import { LANGUAGES, type Language, type TranslatedLanguage } from './languages.ts';
import { buildProblem } from './problem.ts';
import type { ProblemDetails, ProblemInput } from './problem-document.ts';
import { WORDS } from './problem-words.ts';

const CODE_NAMES = Object.keys(CODES) as Code[];
const TRANSLATED: readonly TranslatedLanguage[] = ['de', 'es', 'zh'];
const CASES = CODE_NAMES.flatMap((code) => TRANSLATED.map((language) => [code, language] as const));
const LINK = 'https://gate.example/pay/pl_1';
const BASE = { requestId: 'req_1', baseUrl: 'https://gate.example', resolutionUrl: LINK };

/** Every word there is has something to say. */
const DETAILS: ProblemDetails = {
  current_plan: 'Basic',
  scope: 'key',
  from: 'ancestor',
  unit: 'requests',
  window: 'month',
  current_usage: 10_000,
  allowed_usage: 20_000,
  needed: 12_345,
  available: '0.0031 USD',
  held: '0.0800 USD',
  affordable_max_tokens: 250,
  upgrade_options: [{ kind: 'plan', id: 'pro', title: 'Pro', price: '9.00 USD', url: LINK }],
  model: 'large',
  feature: 'bulk',
  pointer: '/messages/0',
  reason: 'x=1',
  cause: 'INSUFFICIENT_CREDITS',
  method: 'GET',
  path: '/v1/x',
  host: 'h.example',
  allowed_methods: ['POST', 'PUT'],
  allowed_bytes: 5_000_000,
  timeout_seconds: 30,
  id: 'id_1',
  nearest: 'y',
  expired_at: '2026-12-01T00:00:00Z',
  revoked_at: '2026-12-01T00:00:00Z',
  current_plan_end_date: '2026-12-01T00:00:00Z',
  grace_ended_at: '2026-12-01T00:00:00Z',
  resumes_at: '2026-12-01T00:00:00Z',
  requested_at: '2026-12-01T00:00:00Z',
  retired_at: '2026-12-01T00:00:00Z',
  account: 'Acme',
  api: 'Search',
  operation: 'enrich',
  resource: 'course-7',
  price: '9.00 USD',
  invoices: [{ id: 'INV-1' }],
  amount_due: '49.00 USD',
  decline_reason: 'card_expired',
  verification: 'email',
  charged_before: true,
  permission: 'model:large',
  role: 'viewer',
  required_role: 'billing',
  policy: 'countries',
  address: '203.0.113.7',
  key_environment: 'test',
  environment: 'live',
  successor: '/v2/x',
  upstream: { provider: 'OpenAI', message: 'y=2' },
};
const INPUT: Omit<ProblemInput, 'code'> = {
  ...BASE,
  resetsAt: '2026-12-01T00:00:00Z',
  retryAfterSeconds: 3,
  payment: { amount: '0.0010 USD', methods: ['l402'] },
  offer: { amountSats: 10, description: 'x', expires: '2026-12-01T00:00:00Z' },
};

function wordsOf(template: string): ReadonlySet<string> {
  const words = [...template.matchAll(/\{([^}]*)\}/g)].map((match) => match[1] ?? '');
  return new Set(words.map((word) => SAME_WORD[word] ?? word));
}

/** One word in different places of a sentence; languages place it differently. */
const SAME_WORD: Readonly<Record<string, string>> = {
  an_upgrade: 'upgrade',
  subject_inside: 'subject',
};

/** What stands between the words: written by us, in the language. */
function literalsOf(template: string): string {
  return template.replace(/\{[^}]*\}/g, ' ');
}

test('the details of this test give every word something to say', () => {
  const row = CODES.INSUFFICIENT_CREDITS;
  const retry = { kind: 'transient', retry_after_seconds: 3 } as const;
  const details = { ...DETAILS, resets_at: '2026-12-01T00:00:00Z' };
  const source = { details, row, retry, payment: INPUT.payment, offer: INPUT.offer };
  // What no waiting makes room for has no time to wait.
  const waitless = { ...source, retry: { kind: 'never_until_action' } as const };
  const silent = Object.entries(WORDS).filter(([, word]) =>
    [source, waitless].every((each) => (word({ ...each, phrases: PHRASEBOOKS.en }) ?? '') === ''),
  );
  expect(silent.map(([name]) => name)).toEqual([]);
});

describe.each(CASES)('C402-27: %s in %s', (code, language) => {
  const text = TRANSLATIONS[code][language];
  const english = CODES[code];

  test('has a title and a sentence of its own', () => {
    expect(text.title).not.toBe(english.title);
    expect(text.sentence).not.toBe(english.sentence);
    expect(text.title.length).toBeGreaterThan(language === 'zh' ? 3 : 7);
    expect(text.title).not.toMatch(/[.。]$/);
  });

  test('uses the words of the English sentence, so that no number gets lost', () => {
    expect(wordsOf(text.sentence)).toEqual(wordsOf(english.sentence));
    const unknown = [...text.sentence.matchAll(/\{([^}]*)\}/g)].map((match) => match[1] ?? '');
    expect(unknown.filter((word) => !Object.hasOwn(WORDS, word))).toEqual([]);
  });

  test('has nothing in English', () => {
    const literals = `${text.title} ${literalsOf(text.sentence)}`;
    expect(literals.replace(FOREIGN, '')).not.toMatch(language === 'zh' ? /[A-Za-z]{2,}/ : ENGLISH);
  });

  test('keeps code, numbers and members, and changes only the text', () => {
    const translated = buildProblem({ ...INPUT, details: DETAILS, code, language });
    const { title, detail, message, language: told, ...rest } = translated;
    const original = buildProblem({ ...INPUT, details: DETAILS, code });
    expect(told).toBe(language);
    expect(detail).toBe(message);
    expect(title).toBe(text.title);
    expect({
      ...rest,
      title: original.title,
      detail: original.detail,
      message: original.message,
    }).toEqual(original);
  });
});

/** Names that are the same in every language. */
const FOREIGN =
  /max_tokens|Authorization: Bearer <(?:key|token)>|Idempotency-Key|admin\.token|GET \/(?:v1\/models|admin\/\w+)|\b(?:API|JWT|HTTP|Token|id|ms|s)\b/g;
const ENGLISH =
  /\b(?:the|this|that|your|you|and|or|is|have|not|call|calls|retry|until|with|which|plan to|key|than|upgrade|wait|nothing|charged)\b/i;

/** A sentence with a hole in it, whichever way it came about. */
const HOLES =
  /[{}[\]|]|undefined|null|NaN| {2}| [.,;:!?)]|\( |\(\)|（）|“”|«»|„“|[.。] ?[.。,;:]|: ?[.。,]|^[\s.,;:!?)]|，，|，。/;

describe.each(LANGUAGES)('%s: whatever is known or not, the sentence is whole', (language) => {
  test.each(CODE_NAMES)('%s', (code) => {
    const retryKinds = fc.constantFrom(CODES[code].retryKind, 'transient' as const);
    const some = fc.subarray(Object.keys(DETAILS));
    const scope = fc.constantFrom(
      'global',
      'tenant',
      'app',
      'key',
      'end_user',
      'model',
      'route',
      'operation',
    );
    const unit = fc.constantFrom('requests', 'tokens', 'bytes', 'compute_ms', 'nonsense');
    const window = fc.constantFrom(
      'day',
      'billing_cycle',
      'lifetime',
      '10 seconds',
      'sliding_30_days',
      'x',
    );
    const more = fc.subarray(['resetsAt', 'retryAfterSeconds', 'payment', 'offer']);
    fc.assert(
      fc.property(some, scope, unit, window, more, retryKinds, (names, ...rest) => {
        const [scopeName, unitName, windowName, inputs, retryKind] = rest;
        const all = { ...DETAILS, scope: scopeName, unit: unitName, window: windowName };
        const details = pick(all, names) as ProblemDetails;
        const input = { ...BASE, ...pick(INPUT, inputs), details, code, retryKind, language };
        const { message } = buildProblem(input);
        const { linkJoint } = PHRASEBOOKS[language];
        expect(message.endsWith(linkJoint + LINK)).toBe(true);
        const sentence = message.slice(0, -(linkJoint + LINK).length);
        // The quoted reason, an access path and a pointer are other people's punctuation.
        expect(sentence.replace(/messages\[0\]|<key>|<token>/g, 'X')).not.toMatch(HOLES);
        expect(sentence.length).toBeGreaterThan(language === 'zh' ? 10 : 20);
      }),
      { numRuns: 40 },
    );
  });
});

function pick(members: object, names: readonly string[]): object {
  return Object.fromEntries(Object.entries(members).filter(([name]) => names.includes(name)));
}

describe('QUOTA-03: a sentence reads right for each scope', () => {
  const quota = { current_usage: 10_000, allowed_usage: 10_000, window: 'day' } as const;
  test.each<[ProblemDetails['scope'] & string, Record<Language, string>]>([
    [
      'app',
      {
        en: 'This app has used 10,000 of 10,000 requests today',
        de: 'Diese App hat heute 10.000 von 10.000 Anfragen verbraucht',
        es: 'Esta aplicación ha usado 10.000 de 10.000 solicitudes hoy',
        zh: '此应用今天已使用 10,000 次请求，上限为 10,000 次',
      },
    ],
    [
      'global',
      {
        en: 'All callers together have used 10,000 of 10,000 requests today',
        de: 'Alle Aufrufer zusammen haben heute 10.000 von 10.000 Anfragen verbraucht',
        es: 'Todos los clientes juntos han usado 10.000 de 10.000 solicitudes hoy',
        zh: '所有调用方合计今天已使用 10,000 次请求，上限为 10,000 次',
      },
    ],
    [
      'end_user',
      {
        en: 'This end user has used 10,000 of 10,000 requests today',
        de: 'Dieser Endnutzer hat heute 10.000 von 10.000 Anfragen verbraucht',
        es: 'Este usuario final ha usado 10.000 de 10.000 solicitudes hoy',
        zh: '该最终用户今天已使用 10,000 次请求，上限为 10,000 次',
      },
    ],
    [
      'model',
      {
        en: 'On this model you have used 10,000 of 10,000 requests today',
        de: 'Bei diesem Modell haben Sie heute 10.000 von 10.000 Anfragen verbraucht',
        es: 'Con este modelo ha usado 10.000 de 10.000 solicitudes hoy',
        zh: '您在此模型上今天已使用 10,000 次请求，上限为 10,000 次',
      },
    ],
  ])('%s', (scope, expected) => {
    for (const language of LANGUAGES) {
      const details = { ...quota, scope };
      const code = 'REQUEST_QUOTA_EXCEEDED';
      const { message } = buildProblem({ ...BASE, code, details, language });
      expect(message).toMatch(new RegExp(`^${expected[language]}[.。]`));
    }
  });
});

describe('C402-27: numbers, sizes, money and dates in the habit of the language', () => {
  test.each<[Language, string]>([
    [
      'en',
      'You have transferred 4.99 GB of 5 GB this month, and this call could add up to 12.35 MB. Wait until 2026-12-01 09:30 UTC or ask for more volume: ',
    ],
    [
      'de',
      'Sie haben in diesem Monat 4,99 GB von 5 GB übertragen, und dieser Aufruf könnte bis zu 12,35 MB hinzufügen. Warten Sie bis 01.12.2026, 09:30 UTC oder bitten Sie um mehr Volumen: ',
    ],
    [
      'es',
      'Ha transferido 4,99 GB de 5 GB este mes, y esta llamada podría añadir hasta 12,35 MB. Espere hasta el 1 de diciembre de 2026, 09:30 UTC o pida más volumen: ',
    ],
    [
      'zh',
      '您本月已传输 4.99 GB，上限为 5 GB，而本次调用最多可能再增加 12.35 MB。请等到 2026年12月1日 09:30 UTC，或申请更多流量：',
    ],
  ])('%s', (language, expected) => {
    const { message } = buildProblem({
      ...BASE,
      code: 'DATA_QUOTA_EXCEEDED',
      language,
      resetsAt: '2026-12-01T09:30:00Z',
      details: {
        unit: 'bytes_out',
        window: 'month',
        current_usage: 4_999_999_999,
        allowed_usage: 5_000_000_000,
        needed: 12_340_001,
        upgrade_options: [],
      },
    });
    expect(message).toBe(expected + LINK);
  });

  test('money keeps its digits', () => {
    const details = { needed: '1234.5000 USD', available: '0.0031 USD' };
    const code = 'INSUFFICIENT_CREDITS';
    const { message } = buildProblem({ ...BASE, code, details, language: 'de' });
    expect(message).toContain('bis zu 1234,5000 USD kosten, verfügbar sind 0,0031 USD');
  });
});

test('C402-27: every phrase of a language differs from the English one, names and units apart', () => {
  const same = TRANSLATED.flatMap((language) => {
    const flat = Object.entries(flatten(PHRASEBOOKS[language]));
    const english = flatten(PHRASEBOOKS.en);
    return flat.filter(([path, value]) => english[path] === value).map(([path]) => path);
  });
  expect([...new Set(same)].toSorted()).toEqual(['decimalMark', 'linkJoint', 'units.tokens']);
});

function flatten(value: object, prefix = ''): Readonly<Record<string, string>> {
  const entries = Object.entries(value).flatMap(([name, inner]: [string, unknown]) => {
    if (typeof inner === 'string') return [[prefix + name, inner] as const];
    if (typeof inner !== 'object' || inner === null) return [];
    return Object.entries(flatten(inner, `${prefix}${name}.`));
  });
  return Object.fromEntries(entries);
}

test('findSource gives the row in English and the translation otherwise', () => {
  expect(findSource('RATE_LIMITED', 'en').title).toBe('Too many requests');
  expect(findSource('RATE_LIMITED', 'de').title).toBe('Zu viele Anfragen');
});

test.each<[Language, string]>([
  ['en', 'Calls running: 1, allowed at a time: 1. '],
  ['de', 'Laufende Aufrufe: 1, zugleich erlaubt: 1. '],
  ['es', 'Llamadas en curso: 1, permitidas a la vez: 1. '],
])('%s: slots are counted in words that fit one of them, too', (language, sentence) => {
  const details: ProblemDetails = { current_usage: 1, allowed_usage: 1 };
  for (const code of ['CONCURRENCY_LIMIT_EXCEEDED', 'CONCURRENCY_LIMITED'] as const) {
    expect(buildProblem({ ...BASE, code, language, details }).message).toContain(sentence);
  }
});

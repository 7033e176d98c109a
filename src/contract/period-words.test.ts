import { expect, test } from 'vitest';

import { findPeriod } from './period-words.ts';
import { CHINESE } from './phrases/chinese.ts';
import { ENGLISH } from './phrases/english.ts';
import { GERMAN } from './phrases/german.ts';
import { SPANISH } from './phrases/spanish.ts';

test.each([
  ['month', 'this month', 'in diesem Monat', 'este mes', '本月'],
  [
    'billing_cycle',
    'this billing cycle',
    'in diesem Abrechnungszeitraum',
    'en este ciclo de facturación',
    '本计费周期内',
  ],
  ['lifetime', 'in total', 'insgesamt', 'en total', '累计'],
  [
    '30 days',
    'in the last 30 days',
    'in den letzten 30 Tagen',
    'en los últimos 30 días',
    '最近 30 天',
  ],
  [
    'sliding_30_days',
    'in the last 30 days',
    'in den letzten 30 Tagen',
    'en los últimos 30 días',
    '最近 30 天',
  ],
  [
    'sliding_24_hours',
    'in the last 24 hours',
    'in den letzten 24 Stunden',
    'en las últimas 24 horas',
    '最近 24 小时',
  ],
  ['sliding_month', 'in the last month', 'im letzten Monat', 'en el último mes', '最近 1 个月'],
  [
    '3 months',
    'in the last 3 months',
    'in den letzten 3 Monaten',
    'en los últimos 3 meses',
    '最近 3 个月',
  ],
  ['1 day', 'in the last day', 'am letzten Tag', 'en el último día', '最近 1 天'],
])('%s is running %s', (window, english, german, spanish, chinese) => {
  expect(findPeriod(window, ENGLISH)?.running).toBe(english);
  expect(findPeriod(window, GERMAN)?.running).toBe(german);
  expect(findPeriod(window, SPANISH)?.running).toBe(spanish);
  expect(findPeriod(window, CHINESE)?.running).toBe(chinese);
});

test.each([
  ['minute', 'minute', 'Minute', 'minuto', '分钟'],
  ['10 seconds', '10 seconds', '10 Sekunden', 'cada 10 segundos', ' 10 秒'],
  ['0.5 seconds', '0.5 seconds', '0,5 Sekunden', 'cada 0,5 segundos', ' 0.5 秒'],
  ['2 days', '2 days', '2 Tage', 'cada 2 días', ' 2 天'],
  ['1 hour', 'hour', 'Stunde', 'hora', '小时'],
  ['lifetime', undefined, undefined, undefined, undefined],
])('60 requests per %s', (window, english, german, spanish, chinese) => {
  expect(findPeriod(window, ENGLISH)?.span).toBe(english);
  expect(findPeriod(window, GERMAN)?.span).toBe(german);
  expect(findPeriod(window, SPANISH)?.span).toBe(spanish);
  expect(findPeriod(window, CHINESE)?.span).toBe(chinese);
});

test.each([undefined, '', 'fortnight', '10 moons', 'toString', '-1 days', '9999999 days'])(
  '%s is no period: no language has words for it',
  (window) => {
    expect(findPeriod(window, ENGLISH)).toBeUndefined();
  },
);

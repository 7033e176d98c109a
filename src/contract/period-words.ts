import { formatCount } from './number-words.ts';
import { PERIOD_NAMES, type PeriodName, type Phrasebook } from './phrases/phrasebook.ts';

/** `10 seconds`, `sliding_30_days`, `sliding_day`. */
const COUNTED =
  /^(?:sliding[_ ])?(?:(\d{1,6}(?:\.\d{1,3})?)[_ ])?(second|minute|hour|day|week|month|year|billing_cycle)s?$/;

export interface FoundPeriod {
  readonly running: string;
  /** Undefined where it would not read well. */
  readonly cadence: string | undefined;
  readonly span: string | undefined;
}

/** The words for a window of `details`; undefined for one that no language has words for. */
export function findPeriod(
  window: string | undefined,
  phrases: Phrasebook,
): FoundPeriod | undefined {
  if (window === undefined) return undefined;
  if (isPeriodName(window)) return phrases.periods[window];
  const match = COUNTED.exec(window);
  const name = match?.[2];
  if (name === undefined || !isPeriodName(name)) return undefined;
  const words = phrases.periods[name];
  const count = match?.[1] ?? '1';
  // "In the last 1 days" is nobody's language, and "this day" would promise a reset.
  if (/^0*1$/.test(count))
    return { running: words.slidingOne, cadence: undefined, span: words.span };
  const number = formatCount(Number.parseFloat(count), phrases) ?? count;
  return { running: words.sliding(number), cadence: undefined, span: words.spans(number) };
}

function isPeriodName(text: string): text is PeriodName {
  return (PERIOD_NAMES as readonly string[]).includes(text);
}

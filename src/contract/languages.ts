import { parseQualityList } from './quality-list.ts';

/** Languages of titles and messages (C402-27), as Content-Language names them. The first is the default. */
export const LANGUAGES = ['en', 'de', 'es', 'zh'] as const;
export type Language = (typeof LANGUAGES)[number];
/** The languages a code's text is translated to: its row is English. */
export type TranslatedLanguage = Exclude<Language, 'en'>;

const DEFAULT: Language = 'en';

/**
 * RFC 9110 12.5.4, by lookup (RFC 4647 3.4): the language the caller likes best of those we have,
 * `de-AT` being served German. English for no header, for `*`, and when none fits.
 */
export function chooseLanguage(acceptLanguage: string | undefined): Language {
  // Most programs send nothing, or that they take anything.
  if (acceptLanguage === undefined || acceptLanguage === '' || acceptLanguage === '*') {
    return DEFAULT;
  }
  let best: Language = DEFAULT;
  let bestQuality = 0;
  for (const { value, quality } of parseQualityList(acceptLanguage)) {
    if (quality <= bestQuality) continue;
    const primary = value.split('-', 1)[0];
    const known = value === '*' ? DEFAULT : LANGUAGES.find((language) => language === primary);
    if (known === undefined) continue;
    best = known;
    bestQuality = quality;
  }
  return best;
}

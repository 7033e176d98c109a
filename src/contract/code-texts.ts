import { CODES, type Code } from './codes.ts';
import { LANGUAGES, type Language, type TranslatedLanguage } from './languages.ts';
import { CHINESE } from './phrases/chinese.ts';
import { ENGLISH } from './phrases/english.ts';
import { GERMAN } from './phrases/german.ts';
import type { Phrasebook } from './phrases/phrasebook.ts';
import { SPANISH } from './phrases/spanish.ts';
import { compileSentence, type Sentence } from './sentence.ts';
import { ENTITLEMENT_TRANSLATIONS } from './translations/entitlements.ts';
import { FAULT_TRANSLATIONS } from './translations/faults.ts';
import { IDENTITY_TRANSLATIONS } from './translations/identity.ts';
import { LIMIT_TRANSLATIONS } from './translations/limits.ts';
import { REQUEST_TRANSLATIONS } from './translations/requests.ts';
import { STANDING_TRANSLATIONS } from './translations/standing.ts';
import type { CodeText, Translations } from './translations/translation.ts';

/** C402-27: every code in every language but English; the compiler asks for the missing ones. */
export const TRANSLATIONS: Translations<Code> = {
  ...LIMIT_TRANSLATIONS,
  ...ENTITLEMENT_TRANSLATIONS,
  ...STANDING_TRANSLATIONS,
  ...IDENTITY_TRANSLATIONS,
  ...REQUEST_TRANSLATIONS,
  ...FAULT_TRANSLATIONS,
};

export const PHRASEBOOKS: Readonly<Record<Language, Phrasebook>> = {
  en: ENGLISH,
  de: GERMAN,
  es: SPANISH,
  zh: CHINESE,
};

export interface CompiledText {
  readonly title: string;
  readonly sentence: Sentence;
}

/** Compiled once, so that a refusal only fills in words. Throws on a malformed template, which is a bug. */
const COMPILED = compileAll();

export function findText(code: Code, language: Language): CompiledText {
  return COMPILED[language][code];
}

/** Title and template as they are written. */
export function findSource(code: Code, language: Language): CodeText {
  return language === 'en'
    ? CODES[code]
    : TRANSLATIONS[code][language satisfies TranslatedLanguage];
}

function compileAll(): Readonly<Record<Language, Readonly<Record<Code, CompiledText>>>> {
  const codes = Object.keys(CODES) as Code[];
  const languages = LANGUAGES.map((language) => {
    const texts = codes.map((code) => {
      const { title, sentence } = findSource(code, language);
      return [code, { title, sentence: compileSentence(sentence) }];
    });
    return [language, Object.fromEntries(texts)];
  });
  return Object.fromEntries(languages) as Record<Language, Record<Code, CompiledText>>;
}

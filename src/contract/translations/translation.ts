import type { TranslatedLanguage } from '../languages.ts';

/** Title and sentence of a code in one language: the same grammar and the same words as its English row. */
export interface CodeText {
  readonly title: string;
  readonly sentence: string;
}

export type Translations<Name extends PropertyKey> = Readonly<
  Record<Name, Readonly<Record<TranslatedLanguage, CodeText>>>
>;

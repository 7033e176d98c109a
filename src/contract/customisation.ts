import { checkCustomisation } from './check-customisation.ts';
import { CODES, type Code } from './codes.ts';
import { PHRASEBOOKS } from './code-texts.ts';
import type { Language } from './languages.ts';
import type { ProblemBrand, ProblemDocument } from './problem-document.ts';
import { WORDS, type WordSource } from './problem-words.ts';
import { compileSentence, renderSentence, type Sentence } from './sentence.ts';

/** A title and a message of the provider's own. */
export interface CustomText {
  /** `402 Account Overdue`. */
  readonly title?: string;
  /**
   * The grammar of sentence.ts with the words of problem-words.ts and three more: `code`, `request_id`
   * and `sentence`, the message as it would have been. Code and link are added behind it.
   */
  readonly message?: string;
}

/** C402-11: how a provider words its refusals. Check it with checkCustomisation before anything else. */
export interface ProblemCustomisation extends CustomText {
  /** Of title and message; default English. */
  readonly language?: Language;
  /** The same for callers who read another language; without them everybody gets title and message. */
  readonly translations?: Readonly<Partial<Record<Language, CustomText>>>;
  /** Instead of the resolution link: a path or an http(s) address, in which `{code}` and `{request_id}` are filled in. */
  readonly link?: string;
  /** More members of the body. None may be called like one of ours. */
  readonly fields?: Readonly<Record<string, string | number | boolean>>;
  readonly brand?: ProblemBrand;
}

/** Whose refusals it is for; what is left out is any. */
export interface CustomisationRule extends ProblemCustomisation {
  /** Id of an API. */
  readonly api?: string;
  readonly tenant?: string;
  readonly code?: Code;
}

interface CompiledRule {
  readonly rule: CustomisationRule;
  readonly sentences: ReadonlyMap<string, Sentence>;
}

export interface CompiledCustomisations {
  /** Most general first: a later one wins. */
  readonly ofCode: ReadonlyMap<Code, readonly CompiledRule[]>;
}

/** Compiled when the configuration is loaded. Throws when checkCustomisation finds fault with a rule. */
export function compileCustomisations(rules: readonly CustomisationRule[]): CompiledCustomisations {
  for (const rule of rules) {
    const [fault] = checkCustomisation(rule);
    if (fault !== undefined) throw new Error(`${fault.field} ${fault.problem}`);
  }
  const compiled = rules
    .toSorted((left, right) => weigh(left) - weigh(right))
    .map((rule) => ({ rule, sentences: compileMessages(rule) }));
  const codes = Object.keys(CODES) as Code[];
  const ofCode = codes.map((code) => {
    const fitting = compiled.filter(({ rule }) => rule.code === undefined || rule.code === code);
    return [code, fitting] as const;
  });
  return { ofCode: new Map(ofCode) };
}

/** A tenant's own words win over those of an API, these over those of a cause. */
function weigh({ tenant, api, code }: CustomisationRule): number {
  return (
    (tenant === undefined ? 0 : 4) + (api === undefined ? 0 : 2) + (code === undefined ? 0 : 1)
  );
}

function compileMessages(rule: CustomisationRule): ReadonlyMap<string, Sentence> {
  const texts: readonly CustomText[] = [rule, ...Object.values(rule.translations ?? {})];
  const messages = texts.flatMap(({ message }) => (message === undefined ? [] : [message]));
  return new Map(messages.map((message) => [message, compileSentence(message)]));
}

/** Pure. Code, status, action, retry and details stay as they are; the message keeps code and link. */
export function customiseProblem(
  document: ProblemDocument,
  { ofCode }: CompiledCustomisations,
  subject: { readonly api: string | undefined; readonly tenant: string | undefined },
): ProblemDocument {
  let customised = document;
  for (const compiled of ofCode.get(document.code) ?? []) {
    const { api = subject.api, tenant = subject.tenant } = compiled.rule;
    if (api === subject.api && tenant === subject.tenant) {
      customised = applyRule(customised, compiled);
    }
  }
  return customised;
}

function applyRule(document: ProblemDocument, compiled: CompiledRule): ProblemDocument {
  const { rule } = compiled;
  const { language: asked = 'en', ...rest } = document;
  const { title, template, language } = chooseText(rule, asked);
  const link = fillLink(rule.link, document) ?? document.resolution_url;
  const said =
    template === undefined ? cutLink(document) : renderOwn(compiled, template, document, language);
  const message = said + PHRASEBOOKS[language].linkJoint + link;
  return {
    ...rest,
    // None of them is called like a member of ours: compileCustomisations has looked.
    ...rule.fields,
    title: title ?? document.title,
    detail: message,
    message,
    resolution_url: link,
    resolutionLink: link,
    ...describeLanguage(language),
    ...describeBrand(rule),
  };
}

interface ChosenText {
  readonly title: string | undefined;
  readonly template: string | undefined;
  /** Of the message: the rule's own is in the rule's language, whatever the caller reads. */
  readonly language: Language;
}

function chooseText(rule: CustomisationRule, asked: Language): ChosenText {
  const own = rule.translations?.[asked];
  const title = own?.title ?? rule.title;
  if (own?.message !== undefined) return { title, template: own.message, language: asked };
  const language = rule.message === undefined ? asked : (rule.language ?? 'en');
  return { title, template: rule.message, language };
}

/** Left out where it is English. */
function describeLanguage(language: Language): Pick<ProblemDocument, 'language'> {
  return language === 'en' ? {} : { language };
}

function describeBrand({ brand }: CustomisationRule): Pick<ProblemDocument, 'brand'> {
  return brand === undefined ? {} : { brand };
}

/** Whoever reads only the text can still look the code up. */
function renderOwn(
  { sentences }: CompiledRule,
  template: string,
  document: ProblemDocument,
  language: Language,
): string {
  const sentence = sentences.get(template);
  if (sentence === undefined) return cutLink(document);
  const source = recoverSource(document, language);
  const said = renderSentence(sentence, (name) => {
    if (name === 'code') return document.code;
    if (name === 'request_id') return document.request_id;
    return name === 'sentence' ? cutLink(document) : WORDS[name]?.(source);
  });
  return said.includes(document.code) ? said : `${said} (${document.code})`;
}

function recoverSource(document: ProblemDocument, language: Language): WordSource {
  const { details, retry, payment, amount_sats: sats, description, expires } = document;
  const offer =
    description === undefined || expires === undefined
      ? undefined
      : { description, expires, ...(sats === undefined ? {} : { amountSats: sats }) };
  const phrases = PHRASEBOOKS[language];
  return { details, row: CODES[document.code], retry, payment, offer, phrases };
}

function cutLink({ message, resolution_url: link, language = 'en' }: ProblemDocument): string {
  return message.slice(0, message.length - PHRASEBOOKS[language].linkJoint.length - link.length);
}

/** A path is one of this gateway. */
function fillLink(link: string | undefined, document: ProblemDocument): string | undefined {
  const filled = link
    ?.replaceAll('{code}', document.code)
    .replaceAll('{request_id}', encodeURIComponent(document.request_id));
  if (filled === undefined || !filled.startsWith('/')) return filled;
  const origin = document.documentation_url.slice(0, -`/errors/${document.code}`.length);
  return origin + filled;
}

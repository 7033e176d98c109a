import type { CustomText, ProblemCustomisation } from './customisation.ts';
import type { ProblemBrand } from './problem-document.ts';
import { PROBLEM_SCHEMA } from './problem-schema.ts';
import { WORDS } from './problem-words.ts';
import { compileSentence } from './sentence.ts';

/** What is wrong with a customisation, and where. */
export interface CustomisationFault {
  /** `translations.de.message`. */
  readonly field: string;
  /** What is wrong and how to correct it. */
  readonly problem: string;
}

const TITLE_LENGTH_MAX = 120;
const MESSAGE_LENGTH_MAX = 1000;
const URL_LENGTH_MAX = 1000;
const VALUE_LENGTH_MAX = 1000;
const FIELDS_MAX = 20;
const OWN_WORDS: readonly string[] = ['code', 'request_id', 'sentence'];

/** Members of the body in any dialect, and those that payment schemes put into it. */
const TAKEN: ReadonlySet<string> = new Set([
  ...Object.keys(PROBLEM_SCHEMA.$defs.document.properties),
  ...Object.keys(PROBLEM_SCHEMA.$defs.jsonrpc.properties),
  'data',
  'httpStatus',
  'challenges',
  'challengeId',
  'x402Version',
  'accepts',
]);

/** C402-11: everything that is wrong, not only the first thing. Empty = it cannot break a body. */
export function checkCustomisation(
  customisation: ProblemCustomisation,
): readonly CustomisationFault[] {
  const translations = Object.entries(customisation.translations ?? {});
  return [
    ...checkText(customisation, ''),
    ...translations.flatMap(([language, text]) => checkText(text, `translations.${language}.`)),
    ...checkLink(customisation.link),
    ...checkFields(customisation.fields ?? {}),
    ...checkBrand(customisation.brand),
  ];
}

function checkText({ title, message }: CustomText, prefix: string): readonly CustomisationFault[] {
  return [
    ...(title === undefined ? [] : checkTitle(title, `${prefix}title`)),
    ...(message === undefined ? [] : checkMessage(message, `${prefix}message`)),
  ];
}

function checkTitle(title: string, field: string): readonly CustomisationFault[] {
  if (title.trim() === '') return fault(field, 'must not be empty');
  if (title.length > TITLE_LENGTH_MAX) {
    return fault(field, `must have at most ${TITLE_LENGTH_MAX} characters`);
  }
  return isOneLine(title) ? [] : fault(field, 'must be one line of text');
}

function checkMessage(message: string, field: string): readonly CustomisationFault[] {
  if (message.length > MESSAGE_LENGTH_MAX) {
    return fault(field, `must have at most ${MESSAGE_LENGTH_MAX} characters`);
  }
  if (!isOneLine(message)) return fault(field, 'must be one line of text');
  // C402-03: a text is left when no word is known.
  const least = message.replace(/\[([^\]]*)\]/g, (_all, choices: string) => leastOf(choices));
  if (least.trim() === '')
    return fault(field, 'must say something when none of its words is known');
  try {
    compileSentence(message);
  } catch {
    return fault(
      field,
      'must have its words in brackets, each with what to say without them: [You used {current_usage}|You used all]',
    );
  }
  const words = [...message.matchAll(/\{([a-z_]+)\}/g)].map((match) => match[1] ?? '');
  const unknown = words.filter((word) => !Object.hasOwn(WORDS, word) && !OWN_WORDS.includes(word));
  return unknown.flatMap((word) => fault(field, `has no word {${word}}`));
}

/** The last choice without words; nothing when each of them needs one. */
function leastOf(choices: string): string {
  return choices.split('|').find((choice) => !choice.includes('{')) ?? '';
}

function checkLink(link: string | undefined): readonly CustomisationFault[] {
  if (link === undefined) return [];
  const filled = link.replaceAll('{code}', 'X').replaceAll('{request_id}', 'X');
  const isPath = /^\/(?!\/)/.test(filled);
  return isUrl(filled, /^https?:\/\/[^/]/) || (isPath && isUrl(filled, /^/))
    ? []
    : fault(
        'link',
        'must be an http(s) address or a path that begins with /, with no placeholder but {code} and {request_id}',
      );
}

function checkFields(
  fields: NonNullable<ProblemCustomisation['fields']>,
): readonly CustomisationFault[] {
  const entries = Object.entries(fields);
  if (entries.length > FIELDS_MAX) return fault('fields', `must be at most ${FIELDS_MAX}`);
  return entries.flatMap(([name, value]) => {
    const field = `fields.${name}`;
    if (TAKEN.has(name)) return fault(field, 'is a member of the contract: take another name');
    if (!/^[A-Za-z][\w]{0,63}$/.test(name)) {
      return fault(
        field,
        'must be called by 1 to 64 letters, digits and underscores, a letter first',
      );
    }
    if (typeof value === 'number' && !Number.isFinite(value))
      return fault(field, 'must be a number');
    return typeof value === 'string' && value.length > VALUE_LENGTH_MAX
      ? fault(field, `must have at most ${VALUE_LENGTH_MAX} characters`)
      : [];
  });
}

function checkBrand(brand: ProblemBrand | undefined): readonly CustomisationFault[] {
  if (brand === undefined) return [];
  const { name, logo_url: logo, color, support_url: support } = brand;
  return [
    ...checkTitle(name, 'brand.name'),
    ...(logo === undefined || isUrl(logo, /^https:\/\/[^/]/)
      ? []
      : fault('brand.logo_url', 'must be an https address')),
    ...(color === undefined || /^#[0-9a-f]{6}$/i.test(color)
      ? []
      : fault('brand.color', 'must be written like #0b57c2')),
    ...(support === undefined || isUrl(support, /^(?:https?:\/\/[^/]|mailto:[^@]+@)/)
      ? []
      : fault('brand.support_url', 'must be an http(s) or mailto address')),
  ];
}

function isUrl(text: string, start: RegExp): boolean {
  return text.length <= URL_LENGTH_MAX && start.test(text) && /^[!#-;=?-[\]_a-z~]+$/i.test(text);
}

function isOneLine(text: string): boolean {
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  return !/[\u0000-\u001F\u007F\u2028\u2029]/.test(text);
}

function fault(field: string, problem: string): readonly [CustomisationFault] {
  return [{ field, problem }];
}
